<?php

declare(strict_types=1);

namespace Consolepass\Tests;

use Consolepass\Exception;
use Consolepass\Exception\ConsolepassException;
use Consolepass\Internal\OptionTable;
use Consolepass\Issuer;
use Consolepass\Proxmox;
use Consolepass\Relay;
use Consolepass\Tests\Support\Folder;
use Consolepass\Tests\Support\Hypervisor;
use Consolepass\Tests\Support\Process;
use Consolepass\Tests\Support\Program;
use Consolepass\Tests\Support\Tickets;
use Consolepass\Vnc;
use PHPUnit\Framework\TestCase;

/** Whatever is given, the answer is an error of ours that names it, PHP's own TypeError, or a clean end. */
final class BadInputTest extends TestCase
{
    /** Values that a text or number is not. */
    private static function wrong(): array
    {
        return [
            'an object' => new \stdClass(),
            'a resource' => fopen('php://memory', 'r'),
            'a float' => 1.5,
            'not a number' => NAN,
            'infinity' => INF,
            'a nested list' => [['x']],
            'a map' => ['x' => 'y'],
            'a NUL' => "x\0y",
            'no UTF-8' => "\xff\xfe",
            'half a character' => "\xe2\x82",
            'a lone surrogate' => "\xed\xa0\x80",
            'negative' => -1,
            'huge' => PHP_INT_MAX,
            'a huge text' => '99999999999999999999',
            'a closure' => static fn (): int => 1,
        ];
    }

    public function testEveryOptionRefusesWhatItIsNotAndNamesItself(): void
    {
        $make = [
            'proxmox' => static fn (array $options) => new Proxmox($options + Hypervisor::shared()->options()),
            'vnc' => static fn (array $options) => new Vnc($options + ['host' => '127.0.0.1']),
            'relay' => static fn (array $options) => new Relay(
                ['dc1' => new Vnc(['host' => '127.0.0.1'])],
                $options + ['publicUrl' => 'https://a.example'],
            ),
            'issuer' => static fn (array $options) => new Issuer($options + ['publicUrl' => 'https://a.example', 'passKeyFile' => '/x']),
            'pass' => function (array $options): void {
                $folder = new Folder();
                $key = Program::newKey($folder);
                (new Issuer(['publicUrl' => 'https://a.example', 'passKeyFile' => $key]))->issue('dc1', '101', $options);
            },
            'page' => function (array $options): void {
                $folder = new Folder();
                $key = Program::newKey($folder);
                $pass = (new Issuer(['publicUrl' => 'https://a.example', 'passKeyFile' => $key]))->issue('dc1', '101');
                $pass->novncUrl('https://a.example/vnc.html', $options);
            },
        ];
        $this->assertSame(array_keys(OptionTable::SCOPES), array_keys($make));
        $tried = 0;
        foreach (OptionTable::SCOPES as $scope => $rows) {
            foreach ($rows as $name => $row) {
                foreach (self::wrong() as $what => $value) {
                    if ($row['type'] === 'integer' && is_int($value) && $value > 0 && $value <= $row['max']) {
                        continue;
                    }
                    // Where a text is wanted, a text of digits is one.
                    if ($what === 'a huge text' && in_array($row['type'], ['string', 'secret', 'list'], true)) {
                        continue;
                    }
                    try {
                        $make[$scope]([$name => $value]);
                        $this->fail("$scope: $name took $what");
                    } catch (Exception\InvalidArgument $error) {
                        $this->assertStringContainsString($name, $error->getMessage(), "$scope: $name: $what");
                        $tried++;
                    }
                }
            }
        }
        $this->assertGreaterThan(400, $tried);
    }

    public function testEveryArgumentRefusesBytesThatAreNoText(): void
    {
        $folder = new Folder();
        $backend = new Proxmox(Hypervisor::shared()->options());
        $console = $backend->open('qemu/101');
        $issuer = new Issuer(['publicUrl' => 'https://a.example', 'passKeyFile' => Program::newKey($folder)]);
        $pass = $issuer->issue('dc1', '101');
        $relay = new Relay(['dc1' => $backend], ['publicUrl' => 'https://a.example', 'listen' => '127.0.0.1:0']);
        foreach (["x\0y", "\xff", "\xed\xa0\x80", ''] as $text) {
            $calls = [
                static fn () => $backend->open($text),
                static fn () => $backend->open('qemu/101', $text),
                static fn () => $console->novncUrl($text),
                static fn () => $pass->novncUrl($text),
                static fn () => $issuer->issue($text, '101'),
                static fn () => $issuer->issue('dc1', $text),
                static fn () => $relay->issue($text, '101'),
                static fn () => $relay->issue('dc1', $text),
                static fn () => new Relay([$text => $backend], ['publicUrl' => 'https://a.example']),
                static fn () => new Issuer(['publicUrl' => $text, 'passKeyFile' => 'x']),
                static fn () => new Issuer(['publicUrl' => 'https://a.example', 'passKeyFile' => $text]),
                static fn () => Proxmox::fromCredentials(['host' => 'h', 'apiToken' => "u@pve!t=$text"]),
                static fn () => \Consolepass\CloudTower::via($text, 'x', 'y', 'z'),
            ];
            foreach ($calls as $index => $call) {
                try {
                    $call();
                    $this->fail("call $index took " . json_encode($text, JSON_INVALID_UTF8_SUBSTITUTE));
                } catch (Exception\InvalidArgument $error) {
                    $this->assertSame(1, preg_match('//u', $error->getMessage()), 'the message itself is text');
                }
            }
        }
    }

    public function testTimesThatAreNoneAreRefused(): void
    {
        $backend = new Proxmox(Hypervisor::shared()->options());
        $relay = new Relay(['dc1' => $backend], ['publicUrl' => 'https://a.example']);
        foreach ([-1.0, -0.001, NAN, INF, -INF, 1e300, 3600.1] as $timeout) {
            $calls = [
                static fn () => $backend->open('qemu/101', 'vnc', $timeout),
                static fn () => $relay->nextEvent($timeout),
                static fn () => $relay->stop($timeout),
            ];
            foreach ($calls as $call) {
                try {
                    $call();
                    $this->fail("$timeout seconds");
                } catch (Exception\InvalidArgument $error) {
                    $this->assertStringContainsString('timeout', $error->getMessage());
                }
            }
        }
        // The shortest time is over before anybody has answered here, however fast the machine is.
        $silent = stream_socket_server('tcp://127.0.0.1:0');
        $nobody = new Proxmox(['host' => stream_socket_get_name($silent, false)] + Hypervisor::shared()->options());
        $begin = microtime(true);
        try {
            $nobody->open('qemu/101', 'vnc', 0.0);
            $this->fail('nobody answered');
        } catch (Exception\Timeout) {
            $this->assertLessThan(2.0, microtime(true) - $begin, 'not the five seconds of the option');
        }
    }

    public function testWrongTypesOfArgumentsArePhpsOwnErrors(): void
    {
        $backend = new Proxmox(Hypervisor::shared()->options());
        foreach ([[[]], [101], [null], ['qemu/101', 1], ['qemu/101', 'vnc', '5']] as $arguments) {
            try {
                $backend->open(...$arguments);
                $this->fail('a wrong type was taken');
            } catch (\TypeError $error) {
                $this->assertStringContainsString('Argument #', $error->getMessage());
            }
        }
    }

    /** In whatever order PHP lets go of things, also in a circle that only its collector finds, nothing is freed twice or missed. */
    public function testAnyOrderOfEndingsIsFine(): void
    {
        $make = static function (): array {
            $backend = new Proxmox(Hypervisor::shared()->options());
            $relay = new Relay(['dc1' => $backend], ['publicUrl' => 'https://a.example', 'listen' => '127.0.0.1:0']);
            $relay->start();
            return [$backend, $relay, $relay->issue('dc1', '101'), $backend->open('qemu/101')];
        };
        foreach ([[0, 1, 2, 3], [3, 2, 1, 0], [1, 0, 3, 2], [2, 0, 1, 3]] as $order) {
            $all = $make();
            foreach ($order as $index) {
                unset($all[$index]);
            }
        }
        $circle = new \ArrayObject($make());
        $circle['self'] = $circle;
        unset($circle);
        gc_collect_cycles();
        $this->assertSame('pve1/qemu/101', (new Proxmox(Hypervisor::shared()->options()))->open('101')->machine());
    }

    public function testARequestThatEndsWithEverythingOpenEndsCleanly(): void
    {
        $folder = new Folder();
        $options = var_export(Hypervisor::shared()->options(), true);
        $autoload = dirname(__DIR__) . '/autoload.php';
        $endings = [
            'it ends' => ['', 0],
            'exit' => ['exit(3);', 3],
            'an uncaught error' => ['throw new Exception("x");', 255],
            'an uncaught error of ours' => ['$pve->open("kvm/1");', 255],
            'no memory' => ['ini_set("memory_limit", "4M"); str_repeat("x", 1 << 26);', 255],
            'a destructor late' => ['register_shutdown_function(static fn () => print($pve->open("101")->machine()));', 0],
            'a global in a circle' => ['$a = new ArrayObject([$relay, $pve]); $a["a"] = $a;', 0],
        ];
        foreach ($endings as $name => [$code, $status]) {
            $program = $folder->file('program.php', <<<PHP
                <?php
                require '$autoload';
                \$pve = new Consolepass\\Proxmox($options);
                \$console = \$pve->open('qemu/101');
                \$relay = new Consolepass\\Relay(['a' => \$pve], ['publicUrl' => 'https://a.example', 'listen' => '127.0.0.1:0']);
                \$relay->start();
                \$pass = \$relay->issue('a', '101');
                $code
                PHP);
            $process = new Process([PHP_BINARY, '-d', 'display_errors=1', $program]);

            $this->assertSame($status, $process->wait(), "$name: {$process->output()}");
            $this->assertStringNotContainsString(Hypervisor::TOKEN_SECRET, $process->output());
        }
    }

    /** What a debugger, or a collector of errors, does with each of them: it shows the arguments on the way. */
    public function testTheTraceOfAnyErrorCanBeDumped(): void
    {
        $folder = new Folder();
        $options = var_export(Hypervisor::shared()->options(), true);
        $autoload = dirname(__DIR__) . '/autoload.php';
        $calls = [
            'a closed console' => '$console->close(); $console->novncUrl("https://a/vnc.html");',
            'a machine that is none' => '$pve->open("kvm/1");',
            'a page that is none' => '$console->novncUrl("https://a/x.html");',
            'a console that was closed before' => '$console->close(); $console->websocketUrl();',
        ];
        foreach ($calls as $name => $call) {
            $program = $folder->file('program.php', <<<PHP
                <?php
                require '$autoload';
                \$pve = new Consolepass\\Proxmox($options);
                \$console = \$pve->open('qemu/101');
                try {
                    $call
                } catch (Consolepass\\Exception\\ConsolepassException \$error) {
                    var_dump(\$error->getTrace());
                    echo 'dumped';
                }
                PHP);
            $process = new Process([PHP_BINARY, '-d', 'zend.exception_ignore_args=0', $program]);

            $this->assertSame(0, $process->wait(), "$name: {$process->output()}");
            $this->assertStringEndsWith('dumped', $process->output(), $name);
        }
    }

    /** Memory does not grow with what was opened and let go, by success or by failure. */
    public function testMemoryStaysFlat(): void
    {
        $hypervisor = new Tickets();
        $options = $hypervisor->options();
        $folder = new Folder();
        $issuer = new Issuer(['publicUrl' => 'https://a.example', 'passKeyFile' => Program::newKey($folder)]);
        $backend = new Proxmox($options);
        $round = static function (int $count) use ($options, $issuer, $backend): void {
            for ($index = 0; $index < $count; $index++) {
                new Proxmox($options);
                $backend->open('pve1/qemu/101')->novncUrl('https://127.0.0.1/vnc.html', ['foreignOrigin' => true]);
                $issuer->issue('dc1', '101')->toArray();
                try {
                    $backend->open('kvm/101');
                } catch (ConsolepassException) {
                    continue;
                }
            }
        };
        $round(300);
        $before = self::residentKibibytes();

        $round(1000);

        $this->assertLessThan(2048, self::residentKibibytes() - $before, 'KiB more after 1,000 rounds');
    }

    private static function residentKibibytes(): int
    {
        gc_collect_cycles();
        preg_match('/^VmRSS:\s+(\d+) kB/m', (string) file_get_contents('/proc/self/status'), $found);
        return (int) $found[1];
    }
}
