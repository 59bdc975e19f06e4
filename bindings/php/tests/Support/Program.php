<?php

declare(strict_types=1);

namespace Consolepass\Tests\Support;

/** The consolepass program. */
final class Program
{
    /** @return list<string> */
    public static function command(string ...$arguments): array
    {
        return [(string) getenv('CONSOLEPASS_PROGRAM'), ...array_values($arguments)];
    }

    /**
     * Runs it to its end, and reads the one JSON object that it prints.
     *
     * @return array<string, mixed>
     */
    public static function json(string ...$arguments): array
    {
        [, $output] = Process::run(self::command(...$arguments, ...['--json']));
        return json_decode($output, true, 16, JSON_THROW_ON_ERROR);
    }

    /** A new key file that portal and relay share. */
    public static function newKey(Folder $folder): string
    {
        $path = $folder->file('shared-' . bin2hex(random_bytes(4)) . '.jwk');
        Process::run(self::command('pass', '--new-key', $path));
        return $path;
    }

    /**
     * The two files of a new pair.
     *
     * @return array{string, string} private and public
     */
    public static function newPair(Folder $folder): array
    {
        $path = $folder->file('private-' . bin2hex(random_bytes(4)) . '.jwk');
        Process::run(self::command('pass', '--new-key', $path, '--public-key', "$path.pub"));
        return [$path, "$path.pub"];
    }
}
