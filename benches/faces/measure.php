<?php

// One face's figures, in PHP: see run.py.

declare(strict_types=1);

use Consolepass\Issuer;
use Consolepass\Proxmox;
use Consolepass\Relay;

require __DIR__ . '/../../bindings/php/autoload.php';

const MACHINE = 'pve1/qemu/101';

function proxmox(): Proxmox
{
    return new Proxmox([
        'host' => getenv('PVE_HOST'),
        'fingerprint' => getenv('PVE_FINGERPRINT'),
        'tokenId' => getenv('PVE_TOKEN_ID'),
        'tokenSecret' => getenv('PVE_TOKEN_SECRET'),
    ]);
}

/** Microseconds of each open() by a backend of its own. */
function fresh(int $count): array
{
    $found = [];
    for ($number = 0; $number < $count; $number++) {
        $begin = hrtime(true);
        proxmox()->open(MACHINE);
        $found[] = (hrtime(true) - $begin) / 1e3;
    }
    return $found;
}

/** Resident KiB after a tenth, and after all. */
function open(int $count): array
{
    [$backend, $first] = [proxmox(), 0];
    for ($number = 0; $number < $count; $number++) {
        $backend->open(MACHINE);
        if ($number === intdiv($count, 10)) {
            $first = resident();
        }
    }
    return ['first' => $first, 'last' => resident()];
}

/** Microseconds of each pass: signed in plain PHP, opaque by a relay of the library. */
function issue(int $count): array
{
    $place = ['publicUrl' => 'https://portal.example.com/console'];
    $issuers = [
        'signed' => new Issuer($place + ['passKeyFile' => getenv('PASS_KEY_FILE')]),
        'opaque' => new Relay(['dc1' => proxmox()], $place),
    ];
    $found = [];
    foreach ($issuers as $name => $issuer) {
        $begin = hrtime(true);
        for ($number = 0; $number < $count; $number++) {
            $issuer->issue('dc1', MACHINE, ['user' => '42']);
        }
        $found[$name] = (hrtime(true) - $begin) / 1e3 / $count;
    }
    return $found;
}

function resident(): int
{
    preg_match('/^VmRSS:\s+(\d+)/m', (string) file_get_contents('/proc/self/status'), $found);
    return (int) $found[1];
}

[, $what, $count] = $argv;
echo json_encode(['fresh' => fresh(...), 'open' => open(...), 'issue' => issue(...)][$what]((int) $count)), "\n";
