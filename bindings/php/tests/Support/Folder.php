<?php

declare(strict_types=1);

namespace Consolepass\Tests\Support;

/** A folder that goes with the test. */
final class Folder
{
    public readonly string $path;

    public function __construct()
    {
        $this->path = sys_get_temp_dir() . '/consolepass-php-' . bin2hex(random_bytes(6));
        mkdir($this->path, 0700);
    }

    /** The path of a file in it, which is written if there is a $content. */
    public function file(string $name, ?string $content = null): string
    {
        $path = "{$this->path}/$name";
        if ($content !== null) {
            @mkdir(dirname($path), 0700, true);
            file_put_contents($path, $content);
        }
        return $path;
    }

    public function __destruct()
    {
        $entries = new \RecursiveIteratorIterator(
            new \RecursiveDirectoryIterator($this->path, \FilesystemIterator::SKIP_DOTS),
            \RecursiveIteratorIterator::CHILD_FIRST,
        );
        foreach ($entries as $entry) {
            $entry->isDir() && !$entry->isLink() ? rmdir($entry->getPathname()) : unlink($entry->getPathname());
        }
        rmdir($this->path);
    }
}
