<?php

declare(strict_types=1);

namespace Consolepass\Internal;

use Consolepass\Exception\ConsolepassException;

/** An address of the web from the portal: a URL without credentials, query and fragment. */
final class WebAddress
{
    /**
     * Reads an address; $key is how errors call it.
     *
     * @param array{spaces: string, scheme: string, tail: string, accepted: string} $words of errors
     */
    public static function parse(string $key, #[\SensitiveParameter] string $text, array $words): Url
    {
        if (Text::problem($text) !== null || preg_match('/[\p{Cc}\p{Z}]/u', $text) === 1) {
            throw self::wrong($key, $text, $words['spaces'], $words['accepted']);
        }
        try {
            $url = Url::parse($text);
        } catch (WrongUrl $wrong) {
            throw self::wrong($key, $text, $wrong->reason ?? $words['scheme'], $words['accepted']);
        }
        $problem = match (true) {
            $url->scheme !== 'http' && $url->scheme !== 'https' => $words['scheme'],
            $url->hasUser => 'credentials do not belong into it',
            $url->hasQueryOrFragment => $words['tail'],
            default => null,
        };
        return $problem === null ? $url : throw self::wrong($key, $text, $problem, $words['accepted']);
    }

    public static function wrong(string $key, #[\SensitiveParameter] string $text, string $reason, string $accepted): ConsolepassException
    {
        return Failure::invalid($key, self::shown($text), "$reason; $accepted");
    }

    /** $text without what may be a password or a ticket in it: user information, query and fragment. */
    private static function shown(#[\SensitiveParameter] string $text): string
    {
        $end = strcspn($text, '?#');
        $address = substr($text, 0, $end);
        $tail = $end < strlen($text) ? $text[$end] . '…' : '';
        $at = strrpos($address, '@');
        if ($at === false) {
            return $address . $tail;
        }
        $scheme = strpos(substr($address, 0, $at), '://');
        return ($scheme === false ? '' : substr($address, 0, $scheme + 3)) . '…' . substr($address, $at) . $tail;
    }
}
