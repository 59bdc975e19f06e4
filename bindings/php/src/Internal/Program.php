<?php

declare(strict_types=1);

namespace Consolepass\Internal;

/** The consolepass program that comes with this package, or that the system has. */
final class Program
{
    private const NAME = 'consolepass';

    /** What a shell says of a command that it does not find. */
    private const NOT_FOUND = 127;

    /**
     * Becomes the program. Where PHP cannot (without pcntl), waits for it.
     *
     * @param list<string> $arguments
     * @return int the exit status
     */
    public static function run(array $arguments): int
    {
        $program = null;
        foreach (self::places() as $place) {
            if (is_file($place) && (is_executable($place) || self::isMadeExecutable($place))) {
                $program = $place;
                break;
            }
        }
        if ($program === null) {
            fwrite(STDERR, self::notFound());
            return self::NOT_FOUND;
        }
        if (function_exists('pcntl_exec')) {
            pcntl_exec($program, $arguments, getenv());
            fwrite(STDERR, "consolepass: $program cannot be executed: " . pcntl_strerror(pcntl_get_last_error()) . "\n");
            return self::NOT_FOUND - 1;
        }
        return self::wait($program, $arguments);
    }

    /** @return list<string> */
    private static function places(): array
    {
        $wanted = getenv('CONSOLEPASS_PROGRAM');
        if (is_string($wanted) && $wanted !== '') {
            return [$wanted];
        }
        $folders = array_filter(explode(PATH_SEPARATOR, (string) getenv('PATH')));
        $places = array_map(static fn (string $folder): string => "$folder/" . self::NAME, $folders);
        // On the PATH may be what is running now: vendor/bin, or a link to it.
        $self = realpath((string) ($_SERVER['SCRIPT_FILENAME'] ?? ''));
        $isProgram = static fn (string $place): bool => realpath($place) !== $self && !self::isScript($place);
        return [self::packaged(), ...array_values(array_filter($places, $isProgram))];
    }

    /** PHP's own way to unpack archives forgets which files are programs. */
    private static function isMadeExecutable(string $place): bool
    {
        return $place === self::packaged() && @chmod($place, 0755);
    }

    private static function packaged(): string
    {
        return Package::path('lib/' . self::NAME);
    }

    private static function isScript(string $place): bool
    {
        return is_file($place) && is_readable($place) && file_get_contents($place, false, null, 0, 2) === '#!';
    }

    /**
     * Runs the program as a child. A signal for PHP alone ends PHP at once, which cannot pass it on; so a shell stands between,
     * that ends the program when PHP is gone.
     *
     * @param list<string> $arguments
     */
    private static function wait(string $program, array $arguments): int
    {
        $watch = <<<'SH'
            exec 3<&0
            "$@" <&3 3<&- & child=$!
            exec 3<&-
            (while kill -0 $PPID; do sleep 0.2; done; kill -TERM $child) >/dev/null 2>&1 & watch=$!
            trap 'kill -TERM $child' TERM INT HUP
            while :; do
                wait $child
                status=$?
                kill -0 $child 2>/dev/null || break
            done
            kill $watch 2>/dev/null
            exit $status
            SH;
        $process = proc_open(['/bin/sh', '-c', $watch, 'sh', $program, ...$arguments], [STDIN, STDOUT, STDERR], $pipes);
        return $process === false ? self::NOT_FOUND - 1 : proc_close($process);
    }

    private static function notFound(): string
    {
        return "consolepass: the program was not found; looked at\n- " . implode("\n- ", self::places())
            . "\ninstall the package with its lib folder, or set CONSOLEPASS_PROGRAM to where the program is\n";
    }
}
