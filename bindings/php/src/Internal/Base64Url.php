<?php

declare(strict_types=1);

namespace Consolepass\Internal;

/** Base64 for URLs, without padding (RFC 4648 section 5). */
final class Base64Url
{
    public static function encode(#[\SensitiveParameter] string $bytes): string
    {
        return rtrim(strtr(base64_encode($bytes), '+/', '-_'), '=');
    }

    /** Null for what no encoder writes. */
    public static function decode(#[\SensitiveParameter] string $text): ?string
    {
        $bytes = base64_decode(strtr($text, '-_', '+/'), true);
        return $bytes === false || self::encode($bytes) !== $text ? null : $bytes;
    }
}
