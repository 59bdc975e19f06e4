<?php

// The scenario in PHP: see README.md.

declare(strict_types=1);

use Consolepass\Pass;
use Consolepass\Proxmox;
use Consolepass\Relay;

require __DIR__ . '/../../bindings/php/autoload.php';

/** What one step leaves to the next. */
final class Portal
{
    private Proxmox $backend;
    private Relay $relay;
    private Pass $pass;
    /** @var resource */
    private $browser;

    public function log_in(array $step): array
    {
        $account = $step['with'] === 'token'
            ? ['tokenId' => getenv('PVE_TOKEN_ID'), 'tokenSecret' => getenv('PVE_TOKEN_SECRET')]
            : ['username' => getenv('PVE_USERNAME'), 'password' => getenv('PVE_PASSWORD')];
        $place = ['host' => getenv('PVE_HOST'), 'fingerprint' => getenv('PVE_FINGERPRINT')];
        $this->backend = new Proxmox($place + $account);
        return [];
    }

    public function open(array $step): array
    {
        return ['machine' => $this->backend->open($step['machine'])->machine()];
    }

    public function issue(array $step): array
    {
        $options = ['listen' => '127.0.0.1:0', 'publicUrl' => 'http://portal.test'];
        $this->relay = new Relay(['dc1' => $this->backend], $options);
        $this->relay->start();
        $pass = ['user' => $step['user'], 'ttl' => $step['ttl']];
        $this->pass = $this->relay->issue('dc1', $step['machine'], $pass);
        return [];
    }

    public function type(array $step): array
    {
        $this->browser = $this->browse('type', $step['text']);
        return $this->hear($this->browser);
    }

    public function be_refused(): array
    {
        return $this->hear($this->browse('refused'));
    }

    public function stop(): array
    {
        $this->relay->stop();
        return $this->hear($this->browser);
    }

    /** A browser at the relay itself: there is no reverse proxy here. @return resource */
    private function browse(string $what, string ...$words)
    {
        $url = str_replace('portal.test', (string) $this->relay->address(), $this->pass->url());
        $browser = popen(implode(' ', [getenv('TYPIST'), ...array_map('escapeshellarg', [$what, $url, ...$words])]), 'r');
        return $browser ?: throw new RuntimeException('the typist does not start');
    }

    /** @param resource $browser */
    private function hear($browser): array
    {
        return json_decode((string) fgets($browser), true, flags: JSON_THROW_ON_ERROR);
    }
}

$portal = new Portal();
$steps = json_decode((string) file_get_contents((string) getenv('SCENARIO')), true, flags: JSON_THROW_ON_ERROR);
foreach ($steps as $step) {
    echo json_encode(['do' => $step['do']] + $portal->{$step['do']}($step)), "\n";
}
