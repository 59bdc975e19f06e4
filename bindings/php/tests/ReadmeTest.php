<?php

declare(strict_types=1);

namespace Consolepass\Tests;

use Consolepass\Tests\Support\Browser;
use Consolepass\Tests\Support\Fpm;
use Consolepass\Tests\Support\Guide;
use Consolepass\Tests\Support\Installed;
use Consolepass\Tests\Support\Process;
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
    private static ?Guide $readme = null;
    private static ?Process $hypervisor = null;

    /** @var array<string, string> by what the README says what it is here */
    private static array $places = [];

    public static function setUpBeforeClass(): void
    {
        self::$portal = new Installed();
        self::$places = Guide::freePorts(self::HYPERVISOR, self::RELAY, self::WEB) + [self::FOLDER => self::$portal->path()];
        self::$readme = new Guide(dirname(__DIR__) . '/README.md', self::$portal, self::$places);
        self::$readme->run('composer require');
        self::$hypervisor = self::$readme->start('emulate proxmox', self::HYPERVISOR);
        self::$hypervisor->line('ca.pem');
        self::$readme->run('--new-key');
    }

    public static function tearDownAfterClass(): void
    {
        self::$hypervisor = null;
        self::$portal = null;
    }

    public function testTheTenLinesShowAPicture(): void
    {
        self::$readme->write('consolepass.toml', 'toml', '[relay]', self::HYPERVISOR, self::RELAY);
        self::$readme->write('console.php', 'php', 'header(', self::RELAY);
        $relay = self::$readme->start('relay --config');
        $relay->line('relay started');
        $web = self::$readme->start('php -S', self::WEB);
        $web->line('started');

        $page = 'http://' . self::$places[self::WEB] . '/console.php';
        $browser = Browser::atANewRelay(self::$places[self::RELAY], static fn (): string => self::location($page));

        $this->assertGreaterThan(1, $browser->colours(), 'a picture has more than one');
        // Whoever opens the page sees it.
        [$status, $seen] = Process::run(['node', __DIR__ . '/Support/picture.mjs', $page]);
        $this->assertSame([0, 1], [$status, preg_match('/^\d+ colours$/m', $seen)], "$seen; tests/e2e needs its packages: make node");
        $this->assertStringContainsString('user="customer-42"', $relay->output());
    }

    public function testItIsTenLines(): void
    {
        $lines = preg_grep('/^(?!<\?php|require|$)/', explode("\n", self::$readme->block('php', 'header(', self::RELAY)));

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
        self::$readme->write('console_open.php', 'php', '$console->headers()', self::HYPERVISOR);
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
        self::$readme->write('daemon.php', 'php', '$relay->start()', self::HYPERVISOR, self::RELAY);
        $daemon = new Process([PHP_BINARY, 'daemon.php'], self::environment(), self::$portal->path());

        $browser = Browser::atANewRelay(self::$places[self::RELAY], static fn (): string => $daemon->line('/#pass='));
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
        $code = self::$readme->block('php', $part, ...array_filter($more, 'is_string'));
        foreach (array_merge(...array_filter($more, 'is_array')) as $old => $new) {
            $code = Guide::replaced($code, $old, $new);
        }
        file_put_contents(self::$portal->path('program.php'), $code);
        [$status, $output] = Process::run([PHP_BINARY, 'program.php'], self::environment(), self::$portal->path());
        $this->assertSame(0, $status, $output);
        return $output;
    }

    /** @return array<string, string> with the secrets that the emulated hypervisor was given, and the README speaks of */
    private static function environment(): array
    {
        preg_match_all('/CONSOLEPASS_EMULATE_([A-Z_]+)=(\S+)/', self::$readme->block('sh', 'emulate proxmox', self::HYPERVISOR), $found);
        $given = array_combine($found[1], $found[2]);
        return self::$portal->environment + ['DC1_TOKEN_SECRET' => $given['TOKEN_SECRET'], 'PVE_PASSWORD' => $given['PASSWORD']];
    }

    /** @return array<string, string> */
    private static function settings(string $part, string ...$places): array
    {
        $settings = [];
        foreach (explode("\n", self::$readme->block('ini', $part, ...$places)) as $line) {
            if (preg_match('/^(?:php_admin_value\[)?([a-z._]+)\]? = (.*)$/D', $line, $found) === 1) {
                $settings[$found[1]] = $found[2];
            }
        }
        return $settings;
    }

    private static function location(string $url): string
    {
        $context = stream_context_create(['http' => ['follow_location' => 0]]);
        $headers = get_headers($url, true, $context);
        return is_array($headers) ? (string) ($headers['Location'] ?? '') : '';
    }
}
