<?php

declare(strict_types=1);

namespace Consolepass\Tests;

use Consolepass\Tests\Support\Browser;
use Consolepass\Tests\Support\Fpm;
use Consolepass\Tests\Support\Installed;
use Consolepass\Tests\Support\Markdown;
use Consolepass\Tests\Support\Process;
use Consolepass\Tests\Support\Wait;
use PHPUnit\Framework\TestCase;

/**
 * Whoever follows the README in an empty folder has a picture: each block of code is run as it stands, in the order of the page.
 *
 * Only places are others, and each of these has to stand where it is said to:
 * - the ports 8006, 8700 and 8080 of 127.0.0.1 are free ones, for somebody may have those;
 * - /srv/portal is the empty folder;
 * - PVE2_API is a double, for it is not ours to ship; its default port is where the emulated hypervisor is.
 */
final class ReadmeTest extends TestCase
{
    private const HYPERVISOR = '127.0.0.1:8006';
    private const RELAY = '127.0.0.1:8700';
    private const WEB = '127.0.0.1:8080';
    private const FOLDER = '/srv/portal';

    private static ?Installed $portal = null;
    private static ?Markdown $readme = null;
    private static ?Process $hypervisor = null;

    /** @var array<string, string> by what the README says what it is here */
    private static array $places = [];

    public static function setUpBeforeClass(): void
    {
        self::$readme = new Markdown(dirname(__DIR__) . '/README.md');
        self::$portal = new Installed();
        self::$places = [self::FOLDER => self::$portal->path()];
        foreach ([self::HYPERVISOR, self::RELAY, self::WEB] as $place) {
            self::$places[$place] = '127.0.0.1:' . self::freePort();
        }
        self::$portal->shell(self::here(self::$readme->block('sh', 'composer require')));
        self::$hypervisor = self::terminal('emulate proxmox', self::HYPERVISOR);
        self::$hypervisor->line('ca.pem');
        self::$portal->shell(self::here(self::$readme->block('sh', '--new-key')));
    }

    public static function tearDownAfterClass(): void
    {
        self::$hypervisor = null;
        self::$portal = null;
    }

    public function testTheTenLinesShowAPicture(): void
    {
        $config = self::here(self::$readme->block('toml', '[relay]'), self::HYPERVISOR, self::RELAY);
        file_put_contents(self::$portal->path('consolepass.toml'), $config);
        $page = self::here(self::$readme->block('php', 'header('), self::RELAY);
        file_put_contents(self::$portal->path('console.php'), $page);
        $relay = self::terminal('relay --config');
        $relay->line('relay started');
        $web = self::terminal('php -S', self::WEB);
        $web->line('started');

        $browser = Wait::until('a relay that takes passes', static function (): ?Browser {
            $browser = self::browser(self::location('http://' . self::$places[self::WEB] . '/console.php'));
            try {
                $browser->logIn();
                return $browser;
            } catch (\RuntimeException $error) {
                usleep(200_000);
                return str_contains($error->getMessage(), 'expired') ? null : throw $error;
            }
        });

        $this->assertGreaterThan(1, $browser->colours(), 'a picture has more than one');
        $viewer = (string) file_get_contents(self::origin() . '/');
        $this->assertStringContainsString('<!doctype html>', strtolower($viewer));
        $this->assertStringContainsString('user="customer-42"', $relay->output());
    }

    public function testItIsTenLines(): void
    {
        $lines = preg_grep('/^(?!<\?php|require|$)/', explode("\n", self::$readme->block('php', 'header(')));

        $this->assertLessThanOrEqual(10, count((array) $lines));
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
        $seen = trim((string) strstr(self::$hypervisor->line('fingerprint'), ' '));

        $printed = $this->printedBy('$console->headers()', self::HYPERVISOR);
        $other = $this->printedBy('$console->headers()', self::HYPERVISOR, [
            "'caFile' => __DIR__ . '/ca.pem'" => "'fingerprint' => '" . str_repeat('AB:', 31) . "AB'",
        ]);
        $refused = $this->printedBy('$console->headers()', self::HYPERVISOR, ['qemu/101' => 'qemu/999']);

        $this->assertStringStartsWith('wss://' . self::$places[self::HYPERVISOR] . '/api2/json/nodes/pve1/qemu/101/', $printed);
        $this->assertStringContainsString(self::environment()['DC1_TOKEN_SECRET'], $printed, 'the header is what was asked for');
        $this->assertStringContainsString("pin it: $seen", $other);
        $this->assertStringEndsWith("the machine was not found\n", $refused);
    }

    public function testOtherClientsAreTakenOver(): void
    {
        $double = __DIR__ . '/Support/OtherClients.php';
        $port = explode(':', self::$places[self::HYPERVISOR])[1];
        file_put_contents(self::$portal->path('pve2_api.class.php'), <<<PHP
            <?php
            require '$double';
            class PVE2_API extends Consolepass\\Tests\\Support\\OtherClients\\Pve2Api
            {
                public function __construct(\$hostname, \$username, \$realm, \$password, \$port = $port)
                {
                    parent::__construct(\$hostname, \$username, \$realm, \$password, \$port);
                }
            }
            PHP);

        $this->assertSame("pve1/qemu/101\npve1/qemu/101\n", $this->printedBy('fromPve2Api', self::HYPERVISOR));
    }

    public function testEachSettingLetsPhpFpmUseFfi(): void
    {
        $program = self::here(self::$readme->block('php', '$console->headers()'), self::HYPERVISOR);
        file_put_contents(self::$portal->path('console_open.php'), $program);
        // What it prints is not what is asked here.
        file_put_contents(self::$portal->path('open.php'), '<?php ob_start(); require __DIR__ . "/console_open.php"; ob_end_clean();'
            . 'echo json_encode(["machine" => isset($console) ? $console->machine() : $error->getMessage()]);');
        $lib = self::$portal->path('vendor/consolepass/consolepass/lib');
        $pool = self::settings('; in the pool');
        $preload = self::settings('opcache.preload', self::FOLDER);
        $scope = $preload + self::settings('ffi.preload', self::FOLDER);
        $ways = [
            'in the pool' => [[], $pool, []],
            'preloaded' => [$preload, [], []],
            // As after `make install`, the library is found by its name.
            'with a header' => [$scope, [], ['LD_LIBRARY_PATH' => $lib]],
        ];
        $secret = ['DC1_TOKEN_SECRET' => self::environment()['DC1_TOKEN_SECRET']];
        foreach ($ways as $name => [$php, $pool, $more]) {
            $fpm = new Fpm($php, $pool, $secret + $more);

            $this->assertSame(['machine' => 'pve1/qemu/101'], $fpm->ask('', self::$portal->path('open.php')), $name);
            unset($fpm);
        }
    }

    public function testAPhpProcessIsARelay(): void
    {
        $program = self::here(self::$readme->block('php', '$relay->start()'), self::HYPERVISOR, self::RELAY);
        file_put_contents(self::$portal->path('daemon.php'), $program);
        $daemon = new Process([PHP_BINARY, 'daemon.php'], self::environment(), self::$portal->path());

        $browser = self::browser($daemon->line('/#pass='));
        $browser->logIn();
        $this->assertGreaterThan(1, $browser->colours());
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
     * What the program with $part in it prints; with others of the README's places, or with a change.
     *
     * @param string|array<string, string> ...$more
     */
    private function printedBy(string $part, string|array ...$more): string
    {
        $code = self::here(self::$readme->block('php', $part), ...array_filter($more, 'is_string'));
        foreach (array_merge(...array_filter($more, 'is_array')) as $old => $new) {
            $code = self::replaced($code, $old, $new);
        }
        file_put_contents(self::$portal->path('program.php'), $code);
        [$status, $output] = Process::run([PHP_BINARY, 'program.php'], self::environment(), self::$portal->path());
        $this->assertSame(0, $status, $output);
        return $output;
    }

    /** What a reader types into a terminal and leaves there. */
    private static function terminal(string $part, string ...$places): Process
    {
        $block = self::here(self::$readme->block('sh', $part), ...$places);
        $shell = ['/bin/sh', '-c', $block];
        return new Process($shell, self::$portal->environment, self::$portal->path(), group: true);
    }

    /** The code with $places as they are here; each stands in it, and no other one does. */
    private static function here(string $code, string ...$places): string
    {
        foreach (self::$places as $old => $new) {
            if (in_array($old, $places, true)) {
                $code = self::replaced($code, $old, $new);
            } elseif (str_contains($code, $old)) {
                throw new \LogicException("$old stands in $code");
            }
        }
        return $code;
    }

    private static function replaced(string $code, string $old, string $new): string
    {
        return str_contains($code, $old) ? str_replace($old, $new, $code) : throw new \LogicException("$old does not stand in $code");
    }

    /** @return array<string, string> with the secrets that the emulated hypervisor was given, and the README speaks of */
    private static function environment(): array
    {
        preg_match_all('/CONSOLEPASS_EMULATE_([A-Z_]+)=(\S+)/', self::$readme->block('sh', 'emulate proxmox'), $found);
        $given = array_combine($found[1], $found[2]);
        return self::$portal->environment + ['DC1_TOKEN_SECRET' => $given['TOKEN_SECRET'], 'PVE_PASSWORD' => $given['PASSWORD']];
    }

    /** @return array<string, string> */
    private static function settings(string $part, string ...$places): array
    {
        $settings = [];
        foreach (explode("\n", self::here(self::$readme->block('ini', $part), ...$places)) as $line) {
            if (preg_match('/^(?:php_admin_value\[)?([a-z._]+)\]? = (.*)$/D', $line, $found) === 1) {
                $settings[$found[1]] = $found[2];
            }
        }
        return $settings;
    }

    private static function origin(): string
    {
        return 'http://' . self::$places[self::RELAY];
    }

    /** What opens the viewer's address, as the viewer does. */
    private static function browser(string $viewer): Browser
    {
        $websocket = self::origin() . '/ws?pass=' . substr((string) strstr($viewer, '#pass='), strlen('#pass='));
        return new Browser(self::$places[self::RELAY], $websocket, self::origin());
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
