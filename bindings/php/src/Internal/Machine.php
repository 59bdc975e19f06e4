<?php

declare(strict_types=1);

namespace Consolepass\Internal;

use Consolepass\Exception\ConsolepassException;

/** The spellings of machines. */
final class Machine
{
    private const ACCEPTED = 'accepted are qemu/101, lxc/200, pve2/qemu/101, node/pve1, a number, or a name without a slash';

    /** A number has 32 bits. */
    private const LARGEST = 4294967295;

    /** The machine as it stands in passes: a number has no zeros before it. */
    public static function normalized(string $text): string
    {
        $parts = explode('/', $text);
        switch (count($parts)) {
            case 1:
                return self::single($text);
            case 2:
                if ($parts[0] === 'node') {
                    return 'node/' . self::node($text, $parts[1]);
                }
                $type = self::type($text, $parts[0], 'the type must be qemu, lxc or node');
                return "$type/" . self::number($text, $parts[1]);
            case 3:
                $type = self::type($text, $parts[1], 'the type must be qemu or lxc');
                return self::node($text, $parts[0]) . "/$type/" . self::number($text, $parts[2]);
            default:
                throw self::wrong($text, 'it has too many parts');
        }
    }

    private static function single(string $text): string
    {
        if ($text === '') {
            throw self::wrong($text, 'it is empty');
        }
        if (self::isDigits($text)) {
            return self::number($text, $text);
        }
        if (strlen($text) > 255 || preg_match('/\p{Cc}|^[\p{Z}]|[\p{Z}]$/Du', $text) === 1) {
            throw self::wrong($text, 'a name has at most 255 bytes, no control characters and no space at its ends');
        }
        return $text;
    }

    private static function type(string $text, string $word, string $reason): string
    {
        return $word === 'qemu' || $word === 'lxc' ? $word : throw self::wrong($text, $reason);
    }

    private static function number(string $text, string $digits): string
    {
        $digits = self::isDigits($digits) ? ltrim($digits, '0') . (trim($digits, '0') === '' ? '0' : '') : '';
        if ($digits === '' || strlen($digits) > 10 || (int) $digits > self::LARGEST) {
            throw self::wrong($text, 'the last part must be a number below 2^32');
        }
        return $digits;
    }

    private static function isDigits(string $text): bool
    {
        return preg_match('/^[0-9]+$/D', $text) === 1;
    }

    /** A node's name is a host name without a domain. */
    private static function node(string $text, string $name): string
    {
        if (preg_match('/^(?!-)[A-Za-z0-9-]{1,63}(?<!-)$/D', $name) !== 1) {
            throw self::wrong($text, "this is no node's name");
        }
        return $name;
    }

    private static function wrong(string $text, string $reason): ConsolepassException
    {
        return Failure::invalid('machine', $text, "$reason; " . self::ACCEPTED);
    }
}
