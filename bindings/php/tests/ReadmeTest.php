<?php

declare(strict_types=1);

namespace Consolepass\Tests;

use Consolepass\Tests\Support\Browser;
use Consolepass\Tests\Support\Fpm;
use Consolepass\Tests\Support\Hypervisor;
use Consolepass\Tests\Support\Installed;
use Consolepass\Tests\Support\Markdown;
use Consolepass\Tests\Support\Process;
use Consolepass\Tests\Support\Wait;
use PHPUnit\Framework\TestCase;

/**
 * Whoever follows the README in an empty folder has a picture: each block of code is run as it stands, in the order of the page.
 * Only places are others: the hypervisor is the emulated one, and the ports are free ones.
 */
final class ReadmeTest extends TestCase
{
    private static ?Installed $portal = null;
    private static ?Markdown $readme = null;
    private static int $relayPort = 0;

    public static function setUpBeforeClass(): void
    {
        self::$readme = new Markdown(dirname(__DIR__) . '/README.md');
        self::$portal = new Installed();
        self::$relayPort = self::freePort();
        self::$portal->shell(self::$readme->block('sh', 'composer require'));
        self::$portal->shell(self::$readme->block('sh', '--new-key'));
    }

    public static function tearDownAfterClass(): void
    {
        self::$portal = null;
    }

    public function testTheTenLinesShowAPicture(): void
    {
        file_put_contents(self::$portal->path('consolepass.toml'), self::here(self::$readme->block('toml', '[relay]')));
        file_put_contents(self::$portal->path('console.php'), self::here(self::$readme->block('php', 'header(')));
        $command = trim(self::$readme->block('sh', 'relay --config'));
        $relay = new Process(['/bin/sh', '-c', "exec $command"], self::environment(), self::$portal->path());
        $relay->line('relay started');
        $place = '127.0.0.1:' . self::freePort();
        $web = new Process([PHP_BINARY, '-S', $place], self::environment(), self::$portal->path());
        $web->line('started');

        $screen = Wait::until('a relay that takes passes', static function () use ($place): ?array {
            $viewer = self::location("http://$place/console.php");
            try {
                return (new Browser('127.0.0.1:' . self::$relayPort, self::websocketOf($viewer), self::origin()))->logIn();
            } catch (\RuntimeException $error) {
                usleep(200_000);
                return str_contains($error->getMessage(), 'expired') ? null : throw $error;
            }
        });

        $this->assertTrue($screen[0] > 0 && $screen[1] > 0);
        $viewer = (string) file_get_contents(self::origin() . '/');
        $this->assertStringContainsString('<!doctype html>', strtolower($viewer));
        $this->assertStringContainsString('user="customer-42"', $relay->output());
    }

    public function testWhatAPassGivesIsPrinted(): void
    {
        $printed = $this->printedBy('toArray');

        $lines = explode("\n", $printed);
        $this->assertStringStartsWith('https://portal.example.com/console/#pass=', $lines[0]);
        $this->assertStringStartsWith('wss://portal.example.com/console/ws?pass=', $lines[1]);
        $this->assertStringStartsWith('https://portal.example.com/novnc/vnc.html#', $lines[2]);
        $this->assertStringContainsString('[reference] => ' . $lines[3], $printed);
    }

    public function testAConsoleIsOpenedWithFfi(): void
    {
        $printed = $this->printedBy('$console->headers()');

        $this->assertStringStartsWith('wss://' . Hypervisor::shared()->address . '/api2/json/nodes/pve1/qemu/101/', $printed);
        $this->assertStringContainsString(Hypervisor::TOKEN_SECRET, $printed, 'the header is what was asked for');
        $other = $this->printedBy('$console->headers()', [Hypervisor::shared()->fingerprint => str_repeat('AB:', 31) . 'AB']);
        $this->assertStringContainsString('pin it: ' . Hypervisor::shared()->fingerprint, $other);
        $refused = $this->printedBy('$console->headers()', ['qemu/101' => 'qemu/999']);
        $this->assertStringEndsWith("the machine was not found\n", $refused);
    }

    public function testOtherClientsAreTakenOver(): void
    {
        $double = __DIR__ . '/Support/OtherClients.php';
        $port = Hypervisor::shared()->port();
        file_put_contents(self::$portal->path('pve2_api.class.php'), <<<PHP
            <?php
            require '$double';
            class PVE2_API extends Consolepass\\Tests\\Support\\OtherClients\\Pve2Api
            {
                public function __construct(\$hostname, \$username, \$realm, \$password)
                {
                    parent::__construct(strtok(\$hostname, ':'), \$username, \$realm, \$password, $port);
                }
            }
            PHP);

        $this->assertSame("pve1/qemu/101\npve1/qemu/101\n", $this->printedBy('fromPve2Api'));
    }

    public function testEachSettingLetsPhpFpmUseFfi(): void
    {
        file_put_contents(self::$portal->path('open.php'), "<?php require __DIR__ . '/vendor/autoload.php';"
            . "echo json_encode(['machine' => (new Consolepass\\Proxmox(json_decode(getenv('OPTIONS'), true)))->open('qemu/101')->machine()]);");
        $lib = self::$portal->path('vendor/consolepass/consolepass/lib');
        $environment = ['OPTIONS' => addslashes((string) json_encode(Hypervisor::shared()->options()))];
        $pool = self::settings(self::$readme->block('ini', '; in the pool'));
        $preload = self::settings(self::$readme->block('ini', 'opcache.preload'));
        $scope = $preload + self::settings(self::$readme->block('ini', 'ffi.preload'));
        $ways = [
            'in the pool' => [[], $pool, []],
            'preloaded' => [$preload, [], []],
            // As after `make install`, the library is found by its name.
            'with a header' => [$scope, [], ['LD_LIBRARY_PATH' => $lib]],
        ];
        foreach ($ways as $name => [$php, $pool, $more]) {
            $fpm = new Fpm($php, $pool, $environment + $more);

            $this->assertSame(['machine' => 'pve1/qemu/101'], $fpm->ask('', self::$portal->path('open.php')), $name);
            unset($fpm);
        }
    }

    public function testAPhpProcessIsARelay(): void
    {
        file_put_contents(self::$portal->path('daemon.php'), self::here(self::$readme->block('php', '$relay->start()')));
        $daemon = new Process([PHP_BINARY, 'daemon.php'], self::environment(), self::$portal->path());

        $viewer = $daemon->line('/#pass=');
        $browser = new Browser('127.0.0.1:' . self::$relayPort, self::websocketOf($viewer), self::origin());
        $browser->logIn();
        unset($browser);

        $this->assertSame(0, $daemon->wait(), $daemon->output());
        foreach (['taken', 'connected', 'ended'] as $what) {
            $this->assertMatchesRegularExpression("/^$what [0-9a-z]{10} /m", $daemon->output());
        }
    }

    /** @depends testTheTenLinesShowAPicture */
    public function testEveryBlockWasRun(): void
    {
        $this->assertSame([], self::$readme->unused());
    }

    /**
     * What the program with $part in it prints.
     *
     * @param array<string, string> $changes
     */
    private function printedBy(string $part, array $changes = []): string
    {
        file_put_contents(self::$portal->path('program.php'), strtr(self::here(self::$readme->block('php', $part)), $changes));
        [$status, $output] = Process::run([PHP_BINARY, 'program.php'], self::environment(), self::$portal->path());
        $this->assertSame(0, $status, $output);
        return $output;
    }

    /** The code with the places that are here. */
    private static function here(string $code): string
    {
        $relay = '127.0.0.1:' . self::$relayPort;
        return strtr($code, [
            'pve.example.com' => Hypervisor::shared()->address,
            'AB:CD:…' => Hypervisor::shared()->fingerprint,
            'public_url = "http://127.0.0.1:8700"' => "listen = \"$relay\"\npublic_url = \"http://$relay\"",
            "['publicUrl' => 'http://127.0.0.1:8700']" => "['publicUrl' => 'http://$relay', 'listen' => '$relay']",
            '127.0.0.1:8700' => $relay,
        ]);
    }

    /** @return array<string, string> */
    private static function environment(): array
    {
        return self::$portal->environment + [
            'DC1_TOKEN_SECRET' => Hypervisor::TOKEN_SECRET,
            'PVE_PASSWORD' => Hypervisor::PASSWORD,
            'CONSOLEPASS_LOG' => 'info',
        ];
    }

    /** @return array<string, string> */
    private static function settings(string $ini): array
    {
        $settings = [];
        foreach (explode("\n", strtr($ini, ['/srv/portal' => self::$portal->path()])) as $line) {
            if (preg_match('/^(?:php_admin_value\[)?([a-z._]+)\]? = (.*)$/D', $line, $found) === 1) {
                $settings[$found[1]] = $found[2];
            }
        }
        return $settings;
    }

    private static function origin(): string
    {
        return 'http://127.0.0.1:' . self::$relayPort;
    }

    private static function websocketOf(string $viewer): string
    {
        return self::origin() . '/ws?pass=' . substr((string) strstr($viewer, '#pass='), strlen('#pass='));
    }

    private static function location(string $url): string
    {
        $context = stream_context_create(['http' => ['follow_location' => 0]]);
        $headers = get_headers($url, true, $context);
        return is_array($headers) ? (string) ($headers['Location'] ?? '') : '';
    }

    private static function freePort(): int
    {
        $server = stream_socket_server('tcp://127.0.0.1:0');
        return (int) substr((string) strrchr((string) stream_socket_get_name($server, false), ':'), 1);
    }
}
