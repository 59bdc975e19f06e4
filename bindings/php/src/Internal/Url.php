<?php

declare(strict_types=1);

namespace Consolepass\Internal;

/**
 * A URL of the web, in the one spelling that the relay's own parser gives it (the WHATWG's URL standard).
 *
 * The relay compares spellings. So what this class cannot bring into that spelling for certain, such as a host with letters that
 * need Punycode, it refuses, and says which spelling does.
 */
final class Url
{
    use NotUnserialized;

    private function __construct(
        public readonly string $scheme,
        public readonly string $host,
        public readonly ?int $port,
        /** Begins with a slash. */
        public readonly string $path,
        public readonly bool $hasUser,
        public readonly bool $hasQueryOrFragment,
    ) {
    }

    /**
     * Reads a URL of the schemes http, https, ws and wss.
     *
     * @throws WrongUrl
     */
    public static function parse(#[\SensitiveParameter] string $text): self
    {
        if (preg_match('/^([a-z][a-z0-9+.-]*):(.*)$/Dis', $text, $parts) !== 1) {
            throw new WrongUrl('relative URL without a base');
        }
        $scheme = strtolower($parts[1]);
        if (!isset(self::PORTS[$scheme])) {
            throw new WrongUrl(null);
        }
        // As browsers do: any number of slashes and backslashes is as good as two.
        $rest = strtr(ltrim($parts[2], '/\\'), '\\', '/');
        preg_match('/^([^\/?#]*)([^?#]*)(.*)$/Ds', $rest, $parts);
        [, $authority, $path, $tail] = $parts;
        $at = strrpos($authority, '@');
        [$host, $port] = self::hostAndPort($at === false ? $authority : substr($authority, $at + 1));
        $host = self::host($host);
        if (preg_match('~^[^:]+://[^/\\\\]~', $text) !== 1) {
            throw new WrongUrl('its host is missing');
        }
        return new self(
            $scheme,
            $host,
            $port === self::PORTS[$scheme] ? null : $port,
            self::path($path),
            $at !== false,
            $tail !== '',
        );
    }

    private const NO_NAME = 'a host\'s name has 1 to 63 letters, digits, - and _ between its dots, no - at an end of a part, '
        . 'and 253 in all at the most';
    private const PORTS = ['http' => 80, 'https' => 443, 'ws' => 80, 'wss' => 443];

    /** Scheme, host and port, the default one left out. */
    public function origin(): string
    {
        return "{$this->scheme}://{$this->host}" . ($this->port === null ? '' : ":{$this->port}");
    }

    public function portOrDefault(): int
    {
        return $this->port ?? self::PORTS[$this->scheme];
    }

    /** What is wrong with its path, which others are to follow. */
    public function prefixProblem(): ?string
    {
        $path = rtrim($this->path, '/');
        return match (true) {
            str_contains($path, '//') => 'its path has an empty part',
            preg_match('/%(?![0-9a-f]{2})/i', $path) === 1 => 'a % in its path encodes nothing',
            default => null,
        };
    }

    /** @return array{string, ?int} */
    private static function hostAndPort(#[\SensitiveParameter] string $text): array
    {
        if (preg_match('/^(\[[^\]]*\]|[^:\[]*)(?::(.*))?$/Ds', $text, $parts) !== 1) {
            throw new WrongUrl('invalid IPv6 address');
        }
        if ($parts[1] === '') {
            throw new WrongUrl('empty host');
        }
        $port = $parts[2] ?? null;
        if ($port === null) {
            return [$parts[1], null];
        }
        if ($port === '') {
            throw new WrongUrl('a port is missing behind its colon');
        }
        if (preg_match('/^[0-9]+$/D', $port) !== 1 || strlen(ltrim($port, '0')) > 5 || (int) $port > 65535) {
            throw new WrongUrl('invalid port number');
        }
        return (int) $port !== 0 ? [$parts[1], (int) $port] : throw new WrongUrl('there is no port 0');
    }

    private static function host(#[\SensitiveParameter] string $host): string
    {
        if ($host[0] === '[') {
            return '[' . self::ipv6(substr($host, 1, -1)) . ']';
        }
        if (preg_match('/[^\x00-\x7f]/', $host) === 1) {
            throw new WrongUrl('a host with other letters than ASCII\'s is written in Punycode here: xn--…');
        }
        $host = strtolower($host);
        $label = '(?!-)[a-z0-9_-]{1,63}(?<!-)';
        if (preg_match("/^$label(\\.$label)*\\.?$/D", $host) !== 1 || strlen(rtrim($host, '.')) > 253) {
            throw new WrongUrl(self::NO_NAME);
        }
        // A last part that is a number makes the whole an IPv4 address, for which there are many spellings.
        $labels = explode('.', rtrim($host, '.'));
        if (preg_match('/^([0-9]+|0x[0-9a-f]*)$/D', $labels[count($labels) - 1]) === 1 && self::ipv4($host) !== $host) {
            throw new WrongUrl('an IPv4 address has four decimal numbers');
        }
        return $host;
    }

    private static function ipv4(#[\SensitiveParameter] string $host): ?string
    {
        $bytes = @inet_pton($host);
        return $bytes !== false && strlen($bytes) === 4 ? (string) inet_ntop($bytes) : null;
    }

    /** RFC 5952, and an IPv4 address within in hexadecimal as well. */
    private static function ipv6(#[\SensitiveParameter] string $text): string
    {
        $bytes = @inet_pton($text);
        if ($bytes === false || strlen($bytes) !== 16) {
            throw new WrongUrl('invalid IPv6 address');
        }
        $groups = array_map('dechex', array_values((array) unpack('n8', $bytes)));
        $longest = null;
        preg_match_all('/(?<=^|:)0(?::0)+(?=:|$)/', implode(':', $groups), $runs, PREG_OFFSET_CAPTURE);
        foreach ($runs[0] as $run) {
            if ($longest === null || strlen($run[0]) > strlen($longest[0])) {
                $longest = $run;
            }
        }
        $whole = implode(':', $groups);
        if ($longest === null) {
            return $whole;
        }
        $before = rtrim(substr($whole, 0, $longest[1]), ':');
        $after = ltrim(substr($whole, $longest[1] + strlen($longest[0])), ':');
        return "$before::$after";
    }

    /** Without dot segments, and with everything encoded that has to be. */
    private static function path(#[\SensitiveParameter] string $path): string
    {
        $segments = [];
        $parts = explode('/', $path === '' ? '/' : $path);
        array_shift($parts);
        foreach ($parts as $index => $part) {
            $isLast = $index === count($parts) - 1;
            $plain = str_ireplace('%2e', '.', $part);
            if ($plain === '..') {
                array_pop($segments);
            }
            if ($plain !== '.' && $plain !== '..') {
                $segments[] = self::encoded($part);
            } elseif ($isLast) {
                $segments[] = '';
            }
        }
        return '/' . implode('/', $segments);
    }

    private static function encoded(#[\SensitiveParameter] string $segment): string
    {
        $encode = static fn (array $found): string => sprintf('%%%02X', ord($found[0]));
        return (string) preg_replace_callback('/[\x00-\x20"#<>?`{}\x7f-\xff]/', $encode, $segment);
    }
}
