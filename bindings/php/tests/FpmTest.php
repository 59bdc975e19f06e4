<?php

declare(strict_types=1);

namespace Consolepass\Tests;

use Consolepass\Tests\Support\Folder;
use Consolepass\Tests\Support\Fpm;
use Consolepass\Tests\Support\Hypervisor;
use Consolepass\Tests\Support\Program;
use Consolepass\Tests\Support\RelayProgram;
use Consolepass\Tests\Support\Tickets;
use PHPUnit\Framework\TestCase;

/** Under a real PHP-FPM, in each of the three ways in which it lets FFI be used, and in those in which it does not. */
final class FpmTest extends TestCase
{
    private const REQUESTS = 1000;

    /** The first requests of a worker fill its caches. */
    private const WARM = 100;

    /**
     * KiB that all workers together may have more after that. Caches and the allocator's leftovers come to some 100 in the 800
     * requests that count; one console that is not freed has 2.75, which is more than 2,000 if each of them leaves one behind.
     */
    private const SLACK = 256;

    private static ?Tickets $tickets = null;
    private static ?Folder $folder = null;
    private static string $key = '';

    public static function setUpBeforeClass(): void
    {
        self::$tickets = new Tickets();
        self::$folder = new Folder();
        self::$key = Program::newKey(self::$folder);
        symlink((string) getenv('CONSOLEPASS_LIBRARY'), self::$folder->file('libconsolepass.so.0.1'));
    }

    public static function tearDownAfterClass(): void
    {
        self::$tickets = null;
        self::$folder = null;
    }

    /** @return array<string, array{string}> */
    public function setUps(): array
    {
        return ['ffi.enable in the pool' => ['enable'], 'opcache.preload' => ['preload'], 'ffi.preload' => ['scope']];
    }

    /** @dataProvider setUps */
    public function testWorkersServeAThousandRequestsWithFlatMemoryAndNoThread(string $setUp): void
    {
        $fpm = $this->fpm($setUp);
        $this->assertSame(1, $this->threads($fpm->master()), 'no thread is started before the fork');
        $this->assertSame($setUp === 'scope', $this->isLoaded($fpm->master()));
        $resident = [];
        for ($index = 0; $index < self::REQUESTS; $index++) {
            $said = $fpm->askQuickly('open');

            $this->assertSame('pve1/qemu/101', $said['machine'] ?? json_encode($said));
            $this->assertSame(['fpm-fcgi', 1], [$said['sapi'], $said['threads']]);
            $resident[$said['worker']][] = $said['resident'];
        }
        $this->assertLessThanOrEqual(Fpm::WORKERS, count($resident), 'workers are reused');
        [$grown, $counted] = [[], 0];
        foreach ($resident as $worker => $seen) {
            $this->assertGreaterThan(self::WARM, count($seen), 'each worker has had its part');
            $grown[$worker] = end($seen) - $seen[self::WARM];
            $counted += count($seen) - self::WARM - 1;
        }
        $this->assertLessThan(self::SLACK, array_sum($grown), "KiB more after $counted requests: " . json_encode($grown));
        $this->assertSame(1, $this->threads($fpm->master()));
    }

    /** @dataProvider setUps */
    public function testErrorsAreOursAndShowNoSecret(string $setUp): void
    {
        $fpm = $this->fpm($setUp);

        $refused = $fpm->ask('refused');
        $relay = $fpm->ask('relay');

        $this->assertSame('invalid_argument', $refused['error']);
        $this->assertSame('unsupported', $relay['error']);
        $this->assertStringContainsString('not in a worker of a web server (fpm-fcgi)', $relay['message']);
        $this->assertStringContainsString('vendor/bin/consolepass relay', $relay['hint']);
        try {
            $fpm->ask('uncaught');
            $this->fail('the error was caught');
        } catch (\RuntimeException $said) {
            $this->assertStringContainsString('Uncaught Consolepass\Exception\Unreachable', $said->getMessage());
            $this->assertStringNotContainsString(Hypervisor::TOKEN_SECRET, $said->getMessage());
        }
        $this->assertSame('pve1/qemu/101', $fpm->ask('open')['machine'], 'and the worker serves on');
    }

    public function testWithoutAnySettingTheErrorNamesTheCureAndTheIssuerWorks(): void
    {
        $fpm = $this->fpm('nothing');

        $open = $fpm->ask('open');
        $issued = $fpm->ask('issue');

        $this->assertStringContainsString('ffi.enable is "preload" in the SAPI fpm-fcgi', $open['message']);
        $this->assertStringContainsString('php_admin_value[ffi.enable] = true', $open['hint']);
        $this->assertStringContainsString('opcache.preload = ' . realpath(__DIR__ . '/../preload.php'), $open['hint']);
        $this->assertStringStartsWith('https://portal.example.com/#pass=', $issued['viewerUrl']);
    }

    /** The way for shared hosting: the page is made under PHP-FPM without FFI, the relay runs beside it. */
    public function testAPassThatAWorkerHasSignedOpensAConsole(): void
    {
        $fpm = $this->fpm('nothing');
        $relay = new RelayProgram(self::$folder, self::$key, RelayProgram::ORIGIN);

        $relay->browser($fpm->ask('issue')['url'])->logIn();

        $this->addToAssertionCount(1);
    }

    private function fpm(string $setUp): Fpm
    {
        $library = (string) getenv('CONSOLEPASS_LIBRARY');
        $preload = ['opcache.preload' => (string) realpath(__DIR__ . '/../preload.php')];
        $header = (string) realpath(__DIR__ . '/../../../include/consolepass.ffi.h');
        $environment = [
            'PORTAL_OPTIONS' => addslashes((string) json_encode(self::$tickets->options())),
            'PORTAL_KEY' => self::$key,
        ];
        return match ($setUp) {
            'nothing' => new Fpm([], [], $environment),
            'enable' => new Fpm([], ['ffi.enable' => 'true'], $environment + ['CONSOLEPASS_LIBRARY' => $library]),
            'preload' => new Fpm($preload, [], $environment + ['CONSOLEPASS_LIBRARY' => $library]),
            // The name in the header is looked for by the system; nothing else may find the library.
            'scope' => new Fpm($preload + ['ffi.preload' => $header], [], $environment + [
                'LD_LIBRARY_PATH' => self::$folder->path,
                'CONSOLEPASS_LIBRARY' => '/nonexistent',
            ]),
        };
    }

    private function threads(int $process): int
    {
        return count((array) glob("/proc/$process/task/*"));
    }

    private function isLoaded(int $process): bool
    {
        return str_contains((string) file_get_contents("/proc/$process/maps"), 'libconsolepass');
    }
}
