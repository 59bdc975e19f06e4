<?php

declare(strict_types=1);

namespace Consolepass\Tests;

use Consolepass\Tests\Support\Folder;
use Consolepass\Tests\Support\Hypervisor;
use Consolepass\Tests\Support\Installed;
use Consolepass\Tests\Support\Process;
use PHPUnit\Framework\TestCase;

/** What the archive holds is what a portal needs, installed by Composer or unpacked by hand. */
final class PackageTest extends TestCase
{
    private const OPEN = "echo (new Consolepass\\Proxmox(json_decode(getenv('OPTIONS'), true)))->open('qemu/101')->machine();";

    private static ?Installed $installed = null;

    public static function setUpBeforeClass(): void
    {
        self::$installed = new Installed();
        self::$installed->shell('composer require consolepass/consolepass');
    }

    public static function tearDownAfterClass(): void
    {
        self::$installed = null;
    }

    /** @return array<string, array{string}> */
    public function autoloaders(): array
    {
        return [
            'as it is' => ['composer dump-autoload'],
            'optimized' => ['composer dump-autoload --optimize'],
            'authoritative' => ['composer dump-autoload --classmap-authoritative'],
        ];
    }

    /** @dataProvider autoloaders */
    public function testComposersAutoloaderFindsEveryClassAndThePackageItsLibrary(string $make): void
    {
        self::$installed->shell($make);
        $all = self::classes();
        $program = self::$installed->path('open.php');
        file_put_contents($program, "<?php require 'vendor/autoload.php';\n"
            . 'foreach (' . var_export($all, true) . " as \$class) { class_exists(\$class) || trait_exists(\$class) || exit(\"no \$class\"); }\n"
            . self::OPEN);

        $this->assertSame('pve1/qemu/101', self::output($program));
        $this->assertGreaterThan(30, count($all));
    }

    public function testThePackageNeedsNoComposer(): void
    {
        $folder = new Folder();
        [$status, $output] = Process::run(['unzip', '-q', glob(Installed::archive() . '/*.zip')[0], '-d', $folder->file('lib')]);
        $this->assertSame(0, $status, $output);
        $program = $folder->file('open.php', "<?php require __DIR__ . '/lib/autoload.php';\n" . self::OPEN);

        $this->assertSame('pve1/qemu/101', self::output($program));
        $this->assertStringStartsWith('consolepass ', $this->version(['php', $folder->file('lib/bin/consolepass')]));
    }

    public function testVendorBinIsTheProgramThatCameWithIt(): void
    {
        $program = self::$installed->path('vendor/bin/consolepass');

        $this->assertStringStartsWith('consolepass ', $this->version([$program]));
        // Composer without `unzip` forgets the right to execute.
        $packaged = self::$installed->path('vendor/consolepass/consolepass/lib/consolepass');
        chmod($packaged, 0644);
        $this->assertStringStartsWith('consolepass ', $this->version([$program]));
    }

    public function testTheManifestIsWhatComposerWants(): void
    {
        $manifest = dirname(__DIR__) . '/composer.json';
        [$status, $output] = Process::run(['composer', 'validate', '--strict', '--no-check-publish', $manifest], self::$installed->environment);
        $this->assertSame(0, $status, $output);
        $required = json_decode((string) file_get_contents($manifest), true)['require'];
        $this->assertSame(['php', 'ext-hash', 'ext-json'], array_keys($required), 'no other package at run time');
    }

    /** Nothing of the tests or of this tree is in it, and nothing that is needed is missing. */
    public function testTheArchiveHoldsWhatIsNeeded(): void
    {
        $archive = new \ZipArchive();
        $archive->open((string) glob(Installed::archive() . '/*.zip')[0]);
        $names = array_map(static fn (int $index): string => (string) $archive->getNameIndex($index), range(0, $archive->count() - 1));
        $others = array_filter($names, static fn (string $name): bool => !str_starts_with($name, 'src/'));

        $this->assertEqualsCanonicalizing([
            'composer.json', 'autoload.php', 'preload.php', 'README.md', 'bin/consolepass', 'include/consolepass.ffi.h',
            'LICENSE-APACHE', 'LICENSE-MIT', 'lib/libconsolepass.so.0.1', 'lib/consolepass',
        ], $others);
        $this->assertCount(count(self::classes()), array_diff($names, $others));
    }

    public function testEveryFileOfTheSourceIsStrictAndHoldsTheClassOfItsName(): void
    {
        foreach (self::classes() as $class) {
            $file = dirname(__DIR__) . '/src/' . strtr(substr($class, strlen('Consolepass\\')), '\\', '/') . '.php';
            $this->assertStringContainsString('declare(strict_types=1);', (string) file_get_contents($file));
            $this->assertTrue(class_exists($class) || trait_exists($class), $class);
            $isOpen = [\Consolepass\Backend::class, \Consolepass\Exception\ConsolepassException::class,
                \Consolepass\Exception\AuthFailed::class, \Consolepass\Exception\Unsupported::class,
                \Consolepass\Internal\NotUnserialized::class];
            $this->assertSame(!in_array($class, $isOpen, true), (new \ReflectionClass($class))->isFinal(), $class);
        }
    }

    /** FFI is in one folder, so that a reader knows where to look, and the rest is plain PHP. */
    public function testFfiIsInsideInternalAlone(): void
    {
        foreach ((array) glob(dirname(__DIR__) . '/src/{,Exception/}*.php', GLOB_BRACE) as $file) {
            $code = implode('', array_map(
                static fn (mixed $token): string => is_array($token) && in_array($token[0], [T_COMMENT, T_DOC_COMMENT], true) ? '' : (is_array($token) ? $token[1] : $token),
                token_get_all((string) file_get_contents((string) $file)),
            ));
            $this->assertStringNotContainsString('FFI', $code, (string) $file);
        }
    }

    /** @return list<class-string> */
    private static function classes(): array
    {
        $root = dirname(__DIR__) . '/src/';
        $files = new \RecursiveIteratorIterator(new \RecursiveDirectoryIterator($root, \FilesystemIterator::SKIP_DOTS));
        $classes = [];
        foreach ($files as $file) {
            $classes[] = 'Consolepass\\' . strtr(substr($file->getPathname(), strlen($root), -strlen('.php')), '/', '\\');
        }
        return $classes;
    }

    private static function output(string $program): string
    {
        $environment = ['OPTIONS' => (string) json_encode(Hypervisor::shared()->options())] + self::$installed->environment;
        return Process::run([PHP_BINARY, $program], $environment, dirname($program))[1];
    }

    /** @param list<string> $command */
    private function version(array $command): string
    {
        return Process::run([...$command, '--version'], self::$installed->environment)[1];
    }
}
