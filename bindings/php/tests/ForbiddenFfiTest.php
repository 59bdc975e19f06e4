<?php

declare(strict_types=1);

namespace Consolepass\Tests;

use Consolepass\Tests\Support\Folder;
use Consolepass\Tests\Support\Fpm;
use Consolepass\Tests\Support\Process;
use PHPUnit\Framework\TestCase;

/** Where PHP forbids FFI, the cure that is named fits the way in which PHP runs, and cures it. */
final class ForbiddenFfiTest extends TestCase
{
    private const PRELOAD = __DIR__ . '/../preload.php';

    private Folder $folder;
    private string $program = '';

    protected function setUp(): void
    {
        $this->folder = new Folder();
        $autoload = dirname(__DIR__) . '/autoload.php';
        $this->program = $this->folder->file('index.php', <<<PHP
            <?php
            require '$autoload';
            try {
                new Consolepass\\Vnc(['host' => '127.0.0.1']);
                echo json_encode(['loaded' => true]);
            } catch (Consolepass\\Exception\\LibraryNotLoaded \$error) {
                echo json_encode(['message' => \$error->getMessage(), 'hint' => \$error->hint]);
            }
            PHP);
    }

    /**
     * @testWith ["0", "0"]
     *           ["false", ""]
     */
    public function testOnTheCommandLineItIsAllowedByPhpIniOrByAnArgument(string $disabled, string $shown): void
    {
        $said = $this->onTheCommandLine('-d', "ffi.enable=$disabled");

        $this->assertSame("PHP does not allow FFI here: ffi.enable is \"$shown\" in the SAPI cli", $said['message']);
        $this->assertStringStartsWith('allow it: ffi.enable = true in php.ini, or php -d ffi.enable=true. ', $said['hint']);
        $this->assertSame(['loaded' => true], $this->onTheCommandLine('-d', 'ffi.enable=true'));
    }

    /**
     * @testWith ["0"]
     *           ["preload"]
     */
    public function testOfPhpsOwnWebServerAsWell(string $setting): void
    {
        $said = $this->onTheWebServer('-d', "ffi.enable=$setting");

        $this->assertSame("PHP does not allow FFI here: ffi.enable is \"$setting\" in the SAPI cli-server", $said['message']);
        $this->assertStringStartsWith('allow it: ffi.enable = true in php.ini, or php -d ffi.enable=true', $said['hint']);
        $this->assertStringNotContainsString('pool', $said['hint']);
        $this->assertSame($setting === 'preload', str_contains($said['hint'], $this->preload()), 'where preloading is a cure');
        $this->assertSame(['loaded' => true], $this->onTheWebServer('-d', 'ffi.enable=true'));
    }

    public function testPreloadingIsACureOfPhpsOwnWebServer(): void
    {
        $arguments = ['-d', 'opcache.preload=' . realpath(self::PRELOAD), '-d', 'opcache.enable=1', '-d', 'opcache.enable_cli=1'];
        if (posix_geteuid() === 0) {
            array_push($arguments, '-d', 'opcache.preload_user=root');
        }

        $this->assertSame(['loaded' => true], $this->onTheWebServer('-d', 'ffi.enable=preload', ...$arguments));
    }

    /**
     * @testWith ["0"]
     *           ["preload"]
     */
    public function testUnderPhpFpmThePoolIsToldToAllowIt(string $setting): void
    {
        $environment = ['CONSOLEPASS_LIBRARY' => (string) getenv('CONSOLEPASS_LIBRARY')];
        $said = (new Fpm(['ffi.enable' => $setting], [], $environment))->ask('', $this->program);

        $this->assertSame("PHP does not allow FFI here: ffi.enable is \"$setting\" in the SAPI fpm-fcgi", $said['message']);
        $this->assertStringStartsWith('allow it to this pool: php_admin_value[ffi.enable] = true', $said['hint']);
        $this->assertSame($setting === 'preload', str_contains($said['hint'], $this->preload()), 'where preloading is a cure');
        $allowed = new Fpm(['ffi.enable' => $setting], ['ffi.enable' => 'true'], $environment);
        $this->assertSame(['loaded' => true], $allowed->ask('', $this->program));
    }

    private function preload(): string
    {
        return 'opcache.preload = ' . realpath(self::PRELOAD);
    }

    /** @return array<string, mixed> */
    private function onTheCommandLine(string ...$arguments): array
    {
        [, $output] = Process::run([PHP_BINARY, ...array_values($arguments), $this->program]);
        return json_decode($output, true, 4, JSON_THROW_ON_ERROR);
    }

    /** @return array<string, mixed> */
    private function onTheWebServer(string ...$arguments): array
    {
        $web = new Process([PHP_BINARY, ...array_values($arguments), '-S', '127.0.0.1:0', $this->program]);
        preg_match('#http://127\.0\.0\.1:\d+#', $web->line('started'), $found);
        return json_decode((string) file_get_contents($found[0]), true, 4, JSON_THROW_ON_ERROR);
    }
}
