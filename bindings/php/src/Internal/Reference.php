<?php

declare(strict_types=1);

namespace Consolepass\Internal;

/** The short public name of one console. */
final class Reference
{
    /** Without i, l, o and u, so that it survives being read aloud. */
    private const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
    private const LENGTH = 10;

    public static function random(): string
    {
        return self::ofBytes(random_bytes(self::LENGTH));
    }

    /** The first bytes in our alphabet; there must be ten of them. */
    public static function ofBytes(string $bytes): string
    {
        $text = '';
        for ($index = 0; $index < self::LENGTH; $index++) {
            $text .= self::ALPHABET[ord($bytes[$index]) % 32];
        }
        return $text;
    }
}
