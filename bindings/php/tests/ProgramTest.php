<?php

declare(strict_types=1);

namespace Consolepass\Tests;

use Consolepass\Tests\Support\Folder;
use Consolepass\Tests\Support\Process;
use Consolepass\Tests\Support\Wait;
use PHPUnit\Framework\TestCase;

/** vendor/bin/consolepass is the program, whether PHP can become it or has to wait for it. */
final class ProgramTest extends TestCase
{
    private const BIN = __DIR__ . '/../bin/consolepass';

    /** @return array<string, array{list<string>}> */
    public function ways(): array
    {
        return [
            'with pcntl' => [[PHP_BINARY, self::BIN]],
            'without pcntl' => [[PHP_BINARY, '-d', 'disable_functions=pcntl_exec', self::BIN]],
        ];
    }

    /**
     * @dataProvider ways
     * @param list<string> $php
     */
    public function testArgumentsStreamsAndStatusAreTheProgramsOwn(array $php): void
    {
        $this->assertMatchesRegularExpression('/^consolepass \d+\.\d+\.\d+\n$/D', Process::run([...$php, '--version'])[1]);
        $this->assertSame(0, Process::run([...$php, '--version'])[0]);
        [$status, $output] = Process::run([...$php, 'open', 'kvm/1 "$x" *', '--host', 'h']);
        $this->assertSame(2, $status);
        $this->assertStringContainsString('kvm/1 \"$x\" *', $output);
    }

    /**
     * @dataProvider ways
     * @param list<string> $php
     */
    public function testASecretMayComeOnStandardInput(array $php): void
    {
        $command = [...$php, 'open', '101', '--host', '127.0.0.1:1', '--token-id', 'a@b!c', '--token-secret-file', '-'];
        $process = proc_open($command, [['pipe', 'r'], ['pipe', 'w'], ['redirect', 1]], $pipes);
        fwrite($pipes[0], "hunter2\n");
        fclose($pipes[0]);

        $output = (string) stream_get_contents($pipes[1]);

        $this->assertStringContainsString('connection refused', $output);
        $this->assertSame(1, proc_close($process));
    }

    /**
     * @dataProvider ways
     * @param list<string> $php
     */
    public function testASignalEndsTheProgramAsWell(array $php): void
    {
        $process = new Process([...$php, 'emulate', 'proxmox', '--guest', 'qemu/101=screen', '--json']);
        $address = json_decode($process->line('address'), true)['address'];
        $this->assertIsResource(stream_socket_client("tcp://$address"));

        $process->signal(SIGTERM);

        $process->wait();
        Wait::until('the end of the program', static fn (): ?bool => @stream_socket_client("tcp://$address") === false ? true : null);
        $this->addToAssertionCount(1);
    }

    public function testItIsLookedForInThePackageAndOnThePath(): void
    {
        $folder = new Folder();
        $package = dirname(__DIR__);
        $copy = $folder->file('vendor/consolepass/consolepass/bin/consolepass', (string) file_get_contents("$package/bin/consolepass"));
        $root = dirname($copy, 2);
        foreach (['Program', 'Package'] as $class) {
            $folder->file(
                "vendor/consolepass/consolepass/src/Internal/$class.php",
                (string) file_get_contents("$package/src/Internal/$class.php"),
            );
        }
        $own = ['CONSOLEPASS_PROGRAM' => '', 'PATH' => $folder->file('empty')];
        [$status, $output] = Process::run([PHP_BINARY, $copy, 'x'], $own);
        $this->assertSame(127, $status);
        $this->assertStringContainsString("looked at\n- $root/lib/consolepass\n- {$own['PATH']}/consolepass\n", $output);

        // What runs is on the PATH as well, as vendor/bin is for many; it must not find itself.
        mkdir($folder->file('vendor/bin'));
        symlink($copy, $folder->file('vendor/bin/consolepass'));
        $loop = ['PATH' => $folder->file('vendor/bin')] + $own;
        $this->assertSame(127, Process::run([PHP_BINARY, $folder->file('vendor/bin/consolepass'), 'x'], $loop)[0]);

        mkdir($folder->file('system'));
        symlink('/bin/echo', $folder->file('system/consolepass'));
        $path = ['PATH' => $folder->file('vendor/bin') . ':' . $folder->file('system')] + $own;
        $this->assertSame([0, "on the path\n"], Process::run([PHP_BINARY, $copy, 'on the path'], $path));

        mkdir("$root/lib");
        symlink('/bin/false', "$root/lib/consolepass");
        $this->assertSame(1, Process::run([PHP_BINARY, $copy, 'x'], $path)[0]);

        $named = ['CONSOLEPASS_PROGRAM' => '/nonexistent/consolepass'] + $path;
        [$status, $output] = Process::run([PHP_BINARY, $copy, 'x'], $named);
        $this->assertSame(127, $status);
        $this->assertStringContainsString("looked at\n- /nonexistent/consolepass\n", $output);
    }
}
