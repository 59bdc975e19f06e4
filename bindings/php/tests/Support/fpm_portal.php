<?php

declare(strict_types=1);

/* What a portal under PHP-FPM does: each request makes what it needs, anew. */

use Consolepass\Exception\ConsolepassException;

require __DIR__ . '/../../autoload.php';

$options = json_decode((string) getenv('PORTAL_OPTIONS'), true);
$status = (string) file_get_contents('/proc/self/status');
$number = static function (string $name) use ($status): int {
    preg_match("/^$name:\\s+(\\d+)/m", $status, $found);
    return (int) $found[1];
};
$answer = [
    'sapi' => PHP_SAPI,
    'worker' => getmypid(),
    'ffi.enable' => ini_get('ffi.enable'),
    // Before anything is done, so that what an earlier request left behind is in it.
    'threads' => $number('Threads'),
    'resident' => $number('VmRSS'),
];
try {
    switch ($_GET['action']) {
        case 'open':
            $console = (new Consolepass\Proxmox($options))->open('pve1/qemu/101');
            $answer['machine'] = $console->machine();
            $answer['link'] = strlen($console->novncUrl('https://portal.example.com/vnc.html', ['foreignOrigin' => true]));
            break;
        case 'issue':
            $issuer = new Consolepass\Issuer([
                'publicUrl' => 'https://portal.example.com',
                'passKeyFile' => (string) getenv('PORTAL_KEY'),
            ]);
            $answer += $issuer->issue('dc1', 'qemu/101')->toArray();
            break;
        case 'relay':
            new Consolepass\Relay(['dc1' => new Consolepass\Vnc(['host' => '127.0.0.1'])], ['publicUrl' => 'https://a.example']);
            break;
        case 'refused':
            (new Consolepass\Proxmox($options))->open('kvm/1');
            break;
        case 'uncaught':
            (new Consolepass\Proxmox(['host' => '127.0.0.1:1'] + $options))->open('qemu/101');
    }
} catch (ConsolepassException $error) {
    if ($_GET['action'] === 'uncaught') {
        throw $error;
    }
    $answer += ['error' => $error->errorCode->value, 'message' => $error->getMessage(), 'hint' => $error->hint];
}
header('Content-Type: application/json');
echo json_encode($answer);
