<?php

declare(strict_types=1);

namespace Consolepass\Internal;

/** Text: UTF-8 without a NUL, as every other face and the library take it. PHP's strings are bytes. */
final class Text
{
    /** What is wrong with $text, or null. It says nothing of the text itself, which may be a secret in the wrong place. */
    public static function problem(#[\SensitiveParameter] string $text): ?string
    {
        $nul = strpos($text, "\0");
        if ($nul !== false) {
            return "byte $nul is a NUL; text has none";
        }
        if (preg_match('//u', $text) !== 1) {
            return 'not UTF-8';
        }
        return null;
    }

    /** An argument that must be text; $name is how errors call it. */
    public static function checked(string $name, #[\SensitiveParameter] string $text): string
    {
        $problem = self::problem($text);
        if ($problem !== null) {
            throw Failure::invalid($name, '…', $problem);
        }
        return $text;
    }

    /** $text between quotes, with nothing in it that could change a log line. */
    public static function quoted(#[\SensitiveParameter] string $text): string
    {
        $escaped = preg_replace_callback(
            '/["\\\\]|[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/u',
            static fn (array $found): string => match ($found[0]) {
                '"', '\\' => '\\' . $found[0],
                "\n" => '\n',
                "\r" => '\r',
                "\t" => '\t',
                default => sprintf('\u{%x}', self::codePoint($found[0])),
            },
            $text,
        );
        return '"' . ($escaped ?? '…') . '"';
    }

    /** The number of the one character in $text; mbstring is an extension that may be missing. */
    private static function codePoint(#[\SensitiveParameter] string $text): int
    {
        $bytes = array_values((array) unpack('C*', $text));
        $point = $bytes[0] & [0, 0x7f, 0x1f, 0x0f, 0x07][count($bytes)];
        foreach (array_slice($bytes, 1) as $byte) {
            $point = $point << 6 | $byte & 0x3f;
        }
        return $point;
    }
}
