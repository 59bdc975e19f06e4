<?php

declare(strict_types=1);

namespace Consolepass\Internal;

use Consolepass\ErrorCode;
use Consolepass\Exception\LibraryNotLoaded;

/**
 * The shared library: where it is looked for, and what is said when it is not there.
 *
 * Nothing is loaded before the first call that needs it, and loading starts no thread: a master of PHP-FPM may do it before it
 * forks.
 */
final class Library
{
    /** Before 1.0 every minor version is an ABI of its own. */
    private const NAME = 'libconsolepass.so.0.1';

    /** In the header for FFI::scope(). */
    private const SCOPE = 'CONSOLEPASS';

    /** Without the library, and so without FFI, this is what works. */
    private const OTHERWISE =
        'Consolepass\Issuer needs no FFI: let it sign passes, and run vendor/bin/consolepass relay beside the portal';

    private const SAME_VERSION = 'install the library and the package in the same version';

    private static ?\FFI $loaded = null;

    public static function get(): \FFI
    {
        return self::$loaded ??= self::load();
    }

    private static function load(): \FFI
    {
        if (!extension_loaded('ffi')) {
            throw self::failed(
                'the PHP extension ffi is not loaded',
                'install and enable it (Debian: php-common has it, phpenmod ffi; Docker: docker-php-ext-install ffi)',
            );
        }
        try {
            return self::checked(\FFI::scope(self::SCOPE), 'the one that ffi.preload has loaded');
        } catch (\FFI\Exception $error) {
            self::refuseIfRestricted($error);
        }
        $header = self::header();
        $tried = [];
        foreach (self::candidates() as $path => $origin) {
            try {
                $library = \FFI::cdef('uint32_t cpass_abi_version(void); const char *cpass_version(void);', $path);
            } catch (\FFI\Exception $error) {
                self::refuseIfRestricted($error);
                $tried[] = "$path ($origin): " . self::whyNot($path, $error);
                continue;
            }
            // Before anything else is called, and before a function of another version is missed.
            self::checkVersion($library, $path);
            return self::whole($header, $path);
        }
        throw self::failed(
            "libconsolepass cannot be loaded; tried\n- " . implode("\n- ", $tried),
            'install it (make install, or the package with its lib folder), or set the environment variable '
            . 'CONSOLEPASS_LIBRARY to where it is; under PHP-FPM: env[CONSOLEPASS_LIBRARY] in the pool' . self::musl(),
        );
    }

    private static function whole(string $header, string $path): \FFI
    {
        try {
            return \FFI::cdef($header, $path);
        } catch (\FFI\Exception $error) {
            $message = "libconsolepass does not fit this package: $path: " . lcfirst($error->getMessage());
            throw self::failed($message, self::SAME_VERSION);
        }
    }

    /**
     * Where it may be, the most wanted place first.
     *
     * @return array<string, string> by path the reason for looking there
     */
    private static function candidates(): array
    {
        $wanted = getenv('CONSOLEPASS_LIBRARY');
        if (is_string($wanted) && $wanted !== '') {
            // Whoever names one means that one.
            return [$wanted => 'CONSOLEPASS_LIBRARY'];
        }
        return [
            Package::path('lib/' . self::NAME) => 'in this package',
            self::NAME => 'by name, where the system looks',
        ];
    }

    private static function header(): string
    {
        $places = [Package::path('include/consolepass.ffi.h'), Package::path('../../include/consolepass.ffi.h')];
        foreach ($places as $place) {
            if (is_file($place)) {
                return (string) file_get_contents($place);
            }
        }
        throw self::failed("the header is missing: {$places[0]}", 'install the package again');
    }

    /** Under `ffi.enable=preload`, PHP's default, only preloaded classes may use FFI, and the command line. */
    private static function refuseIfRestricted(\FFI\Exception $error): void
    {
        if (!str_contains($error->getMessage(), 'ffi.enable')) {
            return;
        }
        throw self::failed(
            'PHP does not allow FFI here: ffi.enable is ' . Text::quoted((string) ini_get('ffi.enable')) . ' in the SAPI ' . PHP_SAPI,
            'allow it' . self::permission(),
        );
    }

    /** What a hint says to do, for the way in which PHP runs here. */
    private static function permission(): string
    {
        $setting = match (PHP_SAPI) {
            'fpm-fcgi' => ' to this pool: php_admin_value[ffi.enable] = true',
            // They are started by whoever reads it.
            'cli', 'cli-server', 'phpdbg' => ': ffi.enable = true in php.ini, or php -d ffi.enable=true',
            default => ': ffi.enable = true in php.ini',
        };
        // Where FFI is off altogether, it is so for preloaded classes too.
        return ini_get('ffi.enable') === 'preload'
            ? "$setting; or preload this package: opcache.preload = " . Package::path('preload.php')
            : $setting;
    }

    /** PHP says no more than that it did not load, or which function it did not find. */
    private static function whyNot(string $path, \FFI\Exception $error): string
    {
        $said = lcfirst($error->getMessage());
        if (str_starts_with($said, 'failed resolving')) {
            return "it was found and is another library: $said";
        }
        if (!str_contains($path, '/')) {
            return 'not found, or it cannot be loaded';
        }
        [$reason, $warning] = Warnings::during(static fn (): ?string => match (true) {
            !file_exists($path) => 'there is no such file',
            is_dir($path) => 'it is a folder',
            !is_file($path) => 'it is no file',
            !is_readable($path) => 'it may not be read by this user',
            file_get_contents($path, false, null, 0, 4) !== "\x7fELF" => 'it is no library',
            default => null,
        });
        // PHP warns, and every answer is no, for a place that open_basedir hides; the system may have looked there all the same.
        return $warning === '' && $reason !== null ? $reason : "$said; `ldd $path` may say why";
    }

    private static function checked(\FFI $library, string $place): \FFI
    {
        self::checkVersion($library, $place);
        return $library;
    }

    private static function checkVersion(\FFI $library, string $place): void
    {
        $found = $library->cpass_abi_version();
        if ($found === Native::ABI_VERSION) {
            return;
        }
        $message = "libconsolepass has ABI version $found, and this package needs " . Native::ABI_VERSION
            . ": $place is of version " . $library->cpass_version();
        throw self::failed($message, self::SAME_VERSION);
    }

    private static function musl(): string
    {
        return glob('/lib/ld-musl-*') === [] ? '' : '; this system has musl, and the packaged library is for glibc';
    }

    private static function failed(string $message, string $hint): LibraryNotLoaded
    {
        return new LibraryNotLoaded($message, ErrorCode::Unsupported, "$hint. " . self::OTHERWISE);
    }
}
