<?php

declare(strict_types=1);

/*
 * A server that answers every request with a ticket for pve1/qemu/101, as fast as it can: the emulated hypervisor holds a port for
 * each ticket, as the real one does, and has no more than a hundred. Prints its address and its certificate's fingerprint.
 *
 *     php tickets.php FILE    keeps its key in FILE
 */

$key = openssl_pkey_new(['private_key_type' => OPENSSL_KEYTYPE_EC, 'curve_name' => 'prime256v1']);
$certificate = openssl_csr_sign(openssl_csr_new(['commonName' => 'localhost'], $key), null, $key, 1, ['digest_alg' => 'sha256']);
openssl_x509_export($certificate, $certificateText);
openssl_pkey_export($key, $keyText);
$file = $argv[1];
file_put_contents($file, $certificateText . $keyText);
$context = stream_context_create(['ssl' => ['local_cert' => $file], 'socket' => ['tcp_nodelay' => true]]);
$server = stream_socket_server('tcp://127.0.0.1:0', $code, $message, STREAM_SERVER_BIND | STREAM_SERVER_LISTEN, $context);
echo json_encode([
    'address' => stream_socket_get_name($server, false),
    'fingerprint' => strtoupper(implode(':', str_split((string) openssl_x509_fingerprint($certificate, 'sha256'), 2))),
]), "\n";

$ticket = 'PVEVNC:6B0261D7::rRd5NFq+3b/kZ0+9Qw==';
$body = json_encode(['data' => [
    'port' => '5900', 'ticket' => $ticket, 'password' => 'F(K%+&#;', 'user' => 'portal@pve!console', 'cert' => '',
    'upid' => 'UPID:pve1:0009C8B1:0195D9C4:6B0261D7:vncproxy:101:portal@pve!console:',
]]);
$answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json;charset=UTF-8\r\nContent-Length: " . strlen($body) . "\r\n\r\n$body";
$connections = [];
// As long as whoever started it: its standard input ends with that process.
while (true) {
    $ready = [$server, STDIN, ...$connections];
    $none = null;
    stream_select($ready, $none, $none, null);
    foreach ($ready as $stream) {
        if ($stream === STDIN) {
            exit;
        }
        if ($stream === $server) {
            $connection = stream_socket_accept($server, 5);
            if ($connection !== false && @stream_socket_enable_crypto($connection, true, STREAM_CRYPTO_METHOD_TLS_SERVER)) {
                stream_set_blocking($connection, false);
                $connections[(int) $connection] = $connection;
            }
            continue;
        }
        $heard = fread($stream, 65536);
        if ($heard === false || ($heard === '' && feof($stream))) {
            unset($connections[(int) $stream]);
            fclose($stream);
        } elseif (str_starts_with($heard, 'POST ')) {
            fwrite($stream, $answer);
        }
    }
}
