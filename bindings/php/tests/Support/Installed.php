<?php

declare(strict_types=1);

namespace Consolepass\Tests\Support;

use RuntimeException;

/** A portal's folder, empty but for the package that Composer has installed out of the archive that tools/package.py makes. */
final class Installed
{
    public readonly Folder $folder;

    /** @var array<string, string> of every program in it: nothing that was built may be found by another way */
    public readonly array $environment;

    private static ?string $archive = null;

    public function __construct()
    {
        $this->folder = new Folder();
        $this->folder->file('composer/config.json', json_encode(['repositories' => [
            'packagist.org' => false,
            'consolepass' => ['type' => 'artifact', 'url' => self::archive()],
        ]], JSON_THROW_ON_ERROR));
        mkdir($this->path());
        $this->environment = [
            'COMPOSER_HOME' => $this->folder->file('composer'),
            'COMPOSER_ALLOW_SUPERUSER' => '1',
            'COMPOSER_NO_INTERACTION' => '1',
            'CONSOLEPASS_LIBRARY' => '',
            'CONSOLEPASS_PROGRAM' => '',
        ];
    }

    public function path(string $name = ''): string
    {
        return $this->folder->file('portal') . ($name === '' ? '' : "/$name");
    }

    /** @return string what a command of the shell prints, in the portal's folder */
    public function shell(string $command): string
    {
        [$status, $output] = Process::run(['/bin/sh', '-c', $command], $this->environment, $this->path());
        return $status === 0 ? $output : throw new RuntimeException("$command exited with $status and said: $output");
    }

    /** The folder with the archive; made once for all tests. */
    public static function archive(): string
    {
        if (self::$archive === null) {
            $built = dirname((string) getenv('CONSOLEPASS_PROGRAM'));
            $made = new Folder();
            $tool = dirname(__DIR__, 2) . '/tools/package.py';
            [$status, $output] = Process::run(['python3', $tool, $built, $made->path]);
            if ($status !== 0) {
                throw new RuntimeException($output);
            }
            self::$archive = $made->path;
            // Until the end of all tests.
            register_shutdown_function(static fn () => $made->path);
        }
        return self::$archive;
    }
}
