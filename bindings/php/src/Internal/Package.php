<?php

declare(strict_types=1);

namespace Consolepass\Internal;

/** Where this package is. */
final class Package
{
    /** The path of a file of this package. */
    public static function path(string $name): string
    {
        return dirname(__DIR__, 2) . "/$name";
    }
}
