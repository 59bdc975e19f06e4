<?php

declare(strict_types=1);

namespace Consolepass\Tests\Support;

/** The emulated Proxmox VE, with one account for tokens and one for passwords. */
final class Hypervisor
{
    public const TOKEN_ID = 'portal@pve!console';
    public const TOKEN_SECRET = '8f2a6c1e-5b1d-4f0e-9c57-1f0c2d3e4b5a';
    public const USERNAME = 'portal@pve';
    public const PASSWORD = 'correct horse %&+#';

    public readonly string $address;
    public readonly string $fingerprint;
    private readonly Process $process;
    private static ?self $shared = null;

    public function __construct()
    {
        $this->process = new Process(
            Program::command('emulate', 'proxmox', '--json', '--unauthorized-delay', '0', '--banner-delay', '0', ...[
                '--guest', 'qemu/101=screen', '--guest', 'qemu/102=stopped',
                '--token', self::TOKEN_ID, '--user', self::USERNAME,
            ]),
            ['CONSOLEPASS_EMULATE_TOKEN_SECRET' => self::TOKEN_SECRET, 'CONSOLEPASS_EMULATE_PASSWORD' => self::PASSWORD],
        );
        $says = json_decode($this->process->line('fingerprint'), true, 4, JSON_THROW_ON_ERROR);
        $this->address = $says['address'];
        $this->fingerprint = $says['fingerprint'];
    }

    /** One for all tests that change nothing in it. */
    public static function shared(): self
    {
        return self::$shared ??= new self();
    }

    public function port(): int
    {
        return (int) substr((string) strrchr($this->address, ':'), 1);
    }

    /** @return array<string, mixed> options of a backend with its token */
    public function options(): array
    {
        return ['tokenId' => self::TOKEN_ID, 'tokenSecret' => self::TOKEN_SECRET] + $this->place();
    }

    /** @return array<string, mixed> the same without an account */
    public function place(): array
    {
        return ['host' => $this->address, 'fingerprint' => $this->fingerprint];
    }
}
