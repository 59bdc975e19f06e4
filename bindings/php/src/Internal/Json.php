<?php

declare(strict_types=1);

namespace Consolepass\Internal;

/** JSON without escapes that no reader needs: a pass has a longest length. */
final class Json
{
    /** @param array<string, mixed> $value */
    public static function encode(#[\SensitiveParameter] array $value): string
    {
        return json_encode($value, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE | JSON_THROW_ON_ERROR);
    }
}
