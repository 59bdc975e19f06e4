<?php

declare(strict_types=1);

namespace Consolepass\Tests;

use Consolepass\ErrorCode;
use Consolepass\Exception;
use Consolepass\Relay;
use Consolepass\Tests\Support\Folder;
use Consolepass\Tests\Support\Hypervisor;
use Consolepass\Tests\Support\Process;
use Consolepass\Vnc;
use PHPUnit\Framework\TestCase;

/** The end of a relay in a PHP process, and of a PHP process with a relay. */
final class RelayEndsTest extends TestCase
{
    private Relay $relay;

    protected function setUp(): void
    {
        $options = ['publicUrl' => 'https://portal.example.com', 'listen' => '127.0.0.1:0'];
        $this->relay = new Relay(['dc1' => new Vnc(['host' => '127.0.0.1'])], $options);
    }

    protected function tearDown(): void
    {
        unset($this->relay);
    }

    public function testItHasAnAddressFromItsStartToItsStop(): void
    {
        $this->assertNull($this->relay->address());

        $this->relay->start();
        $this->assertMatchesRegularExpression('/^127\.0\.0\.1:[1-9]\d*$/D', (string) $this->relay->address());

        $this->relay->stop();
        $this->assertNull($this->relay->address());
    }

    public function testAfterItsStopEveryCallHasAnAnswer(): void
    {
        $this->relay->start();
        $this->relay->stop(0.5);
        $this->relay->stop();

        $this->assertSame(0, $this->relay->sessionCount());
        foreach (['start' => [], 'issue' => ['dc1', 'qemu/101'], 'nextEvent' => [1.0]] as $method => $arguments) {
            try {
                $this->relay->$method(...$arguments);
                $this->fail("$method after the stop");
            } catch (Exception\Closed $error) {
                $this->assertSame(ErrorCode::Closed, $error->errorCode);
            }
        }
    }

    /** A whole program that is told to end, and one that just ends, with a relay that serves. */
    public function testAProgramEndsWithARelayRunning(): void
    {
        $folder = new Folder();
        $hypervisor = var_export(Hypervisor::shared()->options(), true);
        $autoload = dirname(__DIR__) . '/autoload.php';
        $program = $folder->file('daemon.php', <<<PHP
            <?php
            require '$autoload';
            pcntl_async_signals(true);
            \$ending = false;
            pcntl_signal(SIGTERM, static function () use (&\$ending): void { \$ending = true; });
            \$relay = new Consolepass\\Relay(
                ['dc1' => new Consolepass\\Proxmox($hypervisor)],
                ['publicUrl' => 'https://portal.example.com', 'listen' => '127.0.0.1:0'],
            );
            \$relay->start();
            echo 'listening on ', \$relay->address(), "\\n";
            if ((\$argv[1] ?? '') === 'end') {
                exit(7);
            }
            while (!\$ending) {
                \$relay->nextEvent(0.1);
            }
            \$relay->stop();
            echo "stopped\\n";
            PHP);

        $daemon = new Process([PHP_BINARY, $program]);
        $daemon->line('listening');
        $daemon->signal(SIGTERM);

        $this->assertSame(0, $daemon->wait(), $daemon->output());
        $this->assertStringContainsString('stopped', $daemon->output());
        $this->assertSame(7, (new Process([PHP_BINARY, $program, 'end']))->wait());
    }
}
