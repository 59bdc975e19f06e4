<?php

declare(strict_types=1);

namespace Consolepass\Internal;

/** Times to wait: seconds in PHP, milliseconds in the library, where 0 may have a meaning of its own. */
final class Milliseconds
{
    private const LONGEST = 3600;

    public static function of(string $name, float $seconds): int
    {
        if (!($seconds >= 0 && $seconds <= self::LONGEST)) {
            throw Failure::invalid($name, (string) $seconds, 'must be seconds from 0 to ' . self::LONGEST);
        }
        return (int) ceil($seconds * 1000);
    }
}
