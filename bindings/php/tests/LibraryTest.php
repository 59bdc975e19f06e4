<?php

declare(strict_types=1);

namespace Consolepass\Tests;

use Consolepass\Tests\Support\Folder;
use Consolepass\Tests\Support\Process;
use PHPUnit\Framework\TestCase;

/** When the library cannot be had, the error says what was tried and what to do. */
final class LibraryTest extends TestCase
{
    private Folder $folder;

    protected function setUp(): void
    {
        $this->folder = new Folder();
    }

    public function testTheLibraryIsLoadedFromWhereTheEnvironmentSays(): void
    {
        $this->assertSame(['loaded' => true], $this->load());
    }

    public function testTheLibraryOfThePackageIsFound(): void
    {
        $root = $this->package();
        mkdir("$root/lib");
        symlink((string) getenv('CONSOLEPASS_LIBRARY'), "$root/lib/libconsolepass.so.0.1");

        $this->assertSame(['loaded' => true], $this->load(['CONSOLEPASS_LIBRARY' => ''], [], $root));
    }

    public function testALibraryThatTheSystemFindsByNameIsFound(): void
    {
        symlink((string) getenv('CONSOLEPASS_LIBRARY'), $this->folder->file('libconsolepass.so.0.1'));

        $said = $this->load(['CONSOLEPASS_LIBRARY' => '', 'LD_LIBRARY_PATH' => $this->folder->path], [], $this->package());

        $this->assertSame(['loaded' => true], $said);
    }

    public function testWithoutTheExtensionTheCureIsNamed(): void
    {
        // No ini file is read, and so no extension is loaded that was not compiled in.
        $said = $this->load([], ['-n']);

        $this->assertSame('the PHP extension ffi is not loaded', $said['message']);
        $this->assertStringContainsString('phpenmod ffi', $said['hint']);
        $this->assertStringContainsString('Consolepass\Issuer needs no FFI', $said['hint']);
        $this->assertSame(['Consolepass\Exception\LibraryNotLoaded', 'unsupported'], [$said['class'], $said['code']]);
    }

    public function testEveryPlaceThatWasLookedAtIsNamedWithItsReason(): void
    {
        $root = $this->package();

        $said = $this->load(['CONSOLEPASS_LIBRARY' => ''], [], $root);

        $this->assertStringContainsString(
            "libconsolepass cannot be loaded; tried\n- $root/lib/libconsolepass.so.0.1 (in this package): there is no such file\n"
            . '- libconsolepass.so.0.1 (by name, where the system looks): not found, or it cannot be loaded',
            $said['message'],
        );
        $this->assertStringContainsString('CONSOLEPASS_LIBRARY', $said['hint']);
    }

    public function testALibraryThatIsNoneSaysSo(): void
    {
        // Of another machine: 0 is none.
        $foreign = substr_replace((string) file_get_contents((string) getenv('CONSOLEPASS_LIBRARY'), false, null, 0, 4096), "\0\0", 18, 2);
        $cases = [
            '/nonexistent.so' => 'there is no such file',
            $this->folder->file('text.so', 'hello') => 'it is no library',
            $this->folder->file('foreign.so', $foreign) => '`ldd ',
        ];
        foreach ($cases as $path => $reason) {
            $said = $this->load(['CONSOLEPASS_LIBRARY' => $path]);

            $this->assertStringContainsString("$path (CONSOLEPASS_LIBRARY): ", $said['message']);
            $this->assertStringContainsString($reason, $said['message']);
        }
    }

    /** Another version must be told before its functions are missed, or called in a wrong way. */
    public function testALibraryOfAnotherAbiIsNamedWithBothVersions(): void
    {
        $library = $this->compiled('unsigned cpass_abi_version(void) { return 99; } const char *cpass_version(void) { return "9.9.9"; }');

        $said = $this->load(['CONSOLEPASS_LIBRARY' => $library]);

        $this->assertSame(
            "libconsolepass has ABI version 99, and this package needs 1: $library is of version 9.9.9",
            $said['message'],
        );
        $this->assertStringContainsString('in the same version', $said['hint']);
    }

    public function testAnOlderOneOfTheSameAbiNamesWhatItLacks(): void
    {
        $library = $this->compiled('unsigned cpass_abi_version(void) { return 1; } const char *cpass_version(void) { return "0.0.1"; }');

        $said = $this->load(['CONSOLEPASS_LIBRARY' => $library]);

        $this->assertStringStartsWith("libconsolepass does not fit this package: $library: failed resolving C function", $said['message']);
        $this->assertStringContainsString('in the same version', $said['hint']);
    }

    /** By its path, and by a name that the system has another library for: it is there, so nobody has to look for it. */
    public function testALibraryThatLacksOurFunctionsWasFoundAndIsNotOurs(): void
    {
        $path = $this->compiled('int something_else(void) { return 1; }');
        rename($path, $this->folder->file('libother.so.1'));
        foreach ([$this->folder->file('libother.so.1'), 'libother.so.1'] as $library) {
            $said = $this->load(['CONSOLEPASS_LIBRARY' => $library, 'LD_LIBRARY_PATH' => $this->folder->path]);

            $this->assertStringEndsWith(
                "$library (CONSOLEPASS_LIBRARY): it was found and is another library: failed resolving C function 'cpass_abi_version'",
                $said['message'],
            );
            $this->assertStringStartsWith('libconsolepass cannot be loaded; tried', $said['message']);
        }
        $missing = $this->load(['CONSOLEPASS_LIBRARY' => 'libnonexistent.so.1']);
        $this->assertStringEndsWith('libnonexistent.so.1 (CONSOLEPASS_LIBRARY): not found, or it cannot be loaded', $missing['message']);
    }

    /** A framework may make an exception of a warning, and its words would be all that anybody reads. */
    public function testWhatIsNoFileIsNamedWithoutAWarning(): void
    {
        $throw = 'set_error_handler(static fn (int $level, string $message) => throw new ErrorException($message));';
        $folder = $this->load(['CONSOLEPASS_LIBRARY' => $this->folder->path], [], null, $throw);
        $device = $this->load(['CONSOLEPASS_LIBRARY' => '/dev/null'], [], null, $throw);
        $allowed = ['-d', 'open_basedir=' . dirname(__DIR__, 3) . ':' . $this->folder->path];
        $outside = $this->load(['CONSOLEPASS_LIBRARY' => '/bin/sh'], $allowed, null, $throw);

        $this->assertStringEndsWith("{$this->folder->path} (CONSOLEPASS_LIBRARY): it is a folder", $folder['message']);
        $this->assertStringEndsWith('/dev/null (CONSOLEPASS_LIBRARY): it is no file', $device['message']);
        $this->assertStringEndsWith("/bin/sh (CONSOLEPASS_LIBRARY): failed loading '/bin/sh'; `ldd /bin/sh` may say why", $outside['message']);
    }

    public function testTheIssuerNeedsNoExtensionThatPhpMayLack(): void
    {
        $key = \Consolepass\Tests\Support\Program::newKey($this->folder);
        $program = $this->program("echo (new Consolepass\\Issuer(['publicUrl' => 'https://a.example', 'passKeyFile' => '$key']))"
            . "->issue('dc1', 'qemu/101')->viewerUrl();");

        [$status, $output] = Process::run([PHP_BINARY, '-n', $program], ['CONSOLEPASS_LIBRARY' => '/nonexistent']);

        $this->assertSame(0, $status, $output);
        $this->assertStringStartsWith('https://a.example/#pass=', $output);
    }

    public function testAnEddsaKeyWithoutSodiumNamesTheExtension(): void
    {
        [$private] = \Consolepass\Tests\Support\Program::newPair($this->folder);
        $program = $this->program("try { new Consolepass\\Issuer(['publicUrl' => 'https://a.example', 'passKeyFile' => '$private']); }"
            . "catch (Consolepass\\Exception\\Unsupported \$error) { echo \$error->getMessage(), \$error->hint; }");

        // Where it is compiled in, it cannot be left out; its functions can.
        [, $output] = Process::run([PHP_BINARY, '-d', 'disable_functions=sodium_crypto_sign_detached', $program]);

        $this->assertStringContainsString('needs the PHP extension sodium', $output);
        $this->assertStringContainsString('use a shared key', $output);
    }

    /**
     * Loads the library in a process of its own, and what came of it.
     *
     * @param array<string, string> $environment
     * @param list<string> $settings of PHP
     * @param string $before code that comes first
     * @return array<string, mixed>
     */
    private function load(array $environment = [], array $settings = [], ?string $package = null, string $before = ''): array
    {
        $program = $this->program($before . <<<'PHP'
            try {
                new Consolepass\Vnc(['host' => '127.0.0.1']);
                echo json_encode(['loaded' => true]);
            } catch (Consolepass\Exception\ConsolepassException $error) {
                echo json_encode([
                    'class' => $error::class,
                    'code' => $error->errorCode->value,
                    'message' => $error->getMessage(),
                    'hint' => $error->hint,
                ]);
            }
            PHP, $package);
        [, $output] = Process::run([PHP_BINARY, ...$settings, $program], $environment);
        $said = json_decode($output, true);
        $this->assertIsArray($said, $output);
        return $said;
    }

    private function program(string $code, ?string $package = null): string
    {
        $package ??= dirname(__DIR__);
        return $this->folder->file('program.php', "<?php\nrequire '$package/autoload.php';\n$code");
    }

    /** A copy of the package, as Composer lays it out. */
    private function package(): string
    {
        $root = $this->folder->file('package');
        mkdir($root);
        mkdir("$root/include");
        symlink(dirname(__DIR__, 3) . '/include/consolepass.ffi.h', "$root/include/consolepass.ffi.h");
        foreach (new \RecursiveIteratorIterator(new \RecursiveDirectoryIterator(dirname(__DIR__) . '/src', \FilesystemIterator::SKIP_DOTS)) as $file) {
            $this->folder->file('package/src/' . substr($file->getPathname(), strlen(dirname(__DIR__) . '/src/')), (string) file_get_contents($file->getPathname()));
        }
        copy(dirname(__DIR__) . '/autoload.php', "$root/autoload.php");
        return $root;
    }

    private function compiled(string $source): string
    {
        $file = $this->folder->file('library.c', $source);
        [$status, $output] = Process::run(['cc', '-shared', '-fPIC', '-o', "$file.so", $file]);
        $this->assertSame(0, $status, $output);
        return "$file.so";
    }
}
