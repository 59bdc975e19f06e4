<?php

declare(strict_types=1);

namespace Consolepass\Tests\Support;

/** A hypervisor that has a ticket for everybody: see tickets.php. */
final class Tickets
{
    public readonly string $address;
    public readonly string $fingerprint;
    private readonly Folder $folder;
    private readonly Process $process;

    public function __construct()
    {
        $this->folder = new Folder();
        $this->process = new Process([PHP_BINARY, __DIR__ . '/tickets.php', $this->folder->file('key.pem')], input: true);
        $says = json_decode($this->process->line('fingerprint'), true, 4, JSON_THROW_ON_ERROR);
        $this->address = $says['address'];
        $this->fingerprint = $says['fingerprint'];
    }

    /** @return array<string, mixed> options of a backend */
    public function options(): array
    {
        return [
            'host' => $this->address,
            'fingerprint' => $this->fingerprint,
            'tokenId' => Hypervisor::TOKEN_ID,
            'tokenSecret' => Hypervisor::TOKEN_SECRET,
        ];
    }
}
