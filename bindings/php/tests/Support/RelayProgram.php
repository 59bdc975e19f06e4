<?php

declare(strict_types=1);

namespace Consolepass\Tests\Support;

/** `vendor/bin/consolepass relay`, before an emulated hypervisor. */
final class RelayProgram
{
    public const ORIGIN = 'https://portal.example.com';
    public const PUBLIC_URL = self::ORIGIN . '/console';

    public readonly string $address;
    private readonly Process $process;

    public function __construct(Folder $folder, string $keyFile, string $publicUrl = self::PUBLIC_URL)
    {
        $hypervisor = Hypervisor::shared();
        // With it passes are taken at once; without it, a relay that was just started cannot know which were used before.
        $marks = $folder->file('marks-' . bin2hex(random_bytes(4)));
        mkdir($marks);
        $config = $folder->file('relay-' . bin2hex(random_bytes(4)) . '.toml', <<<TOML
            [relay]
            listen = "127.0.0.1:0"
            public_url = "$publicUrl"
            pass_key_file = "$keyFile"
            marks_dir = "$marks"

            [backend.dc1]
            type = "proxmox"
            host = "{$hypervisor->address}"
            fingerprint = "{$hypervisor->fingerprint}"
            token_id = "portal@pve!console"
            token_secret_env = "DC1_TOKEN_SECRET"
            TOML);
        $bin = dirname(__DIR__, 2) . '/bin/consolepass';
        $command = [PHP_BINARY, $bin, 'relay', '--config', $config, '--json'];
        $this->process = new Process($command, ['DC1_TOKEN_SECRET' => Hypervisor::TOKEN_SECRET]);
        $says = json_decode($this->process->line('{"address"'), true, 4, JSON_THROW_ON_ERROR);
        $this->address = $says['address'];
    }

    public function browser(string $url, string $origin = self::ORIGIN): Browser
    {
        return new Browser($this->address, $url, $origin);
    }

    public function log(): string
    {
        return $this->process->output();
    }
}
