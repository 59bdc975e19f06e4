<?php

declare(strict_types=1);

namespace Consolepass\Internal;

/** Where a management API is, as a caller may spell it; always over HTTPS, and port 443 unless there is another one. */
final class ApiAddress
{
    use NotUnserialized;

    private const WORDS = [
        'spaces' => 'a host holds no spaces',
        'scheme' => 'only https is spoken',
        'tail' => 'a host has no query and no fragment',
        'accepted' => 'accepted are h, h:8443, https://h:8443/, https://h/prefix, and IPv6 addresses with or without brackets',
    ];

    private function __construct(
        /** Host and port, without the port that every client fills in. */
        public readonly string $authority,
        /** Empty, or with a slash at its beginning and none at its end. */
        public readonly string $prefix,
    ) {
    }

    public static function parse(#[\SensitiveParameter] string $text): self
    {
        Text::checked('host', $text);
        $isUrl = str_contains($text, '://');
        $isIpv6 = !$isUrl && strlen((string) @inet_pton($text)) === 16;
        $whole = match (true) {
            $isUrl => $text,
            $isIpv6 => "https://[$text]",
            default => "https://$text",
        };
        $url = WebAddress::parse('host', $whole, self::WORDS);
        $prefix = rtrim($url->path, '/');
        $problem = match (true) {
            $url->scheme === 'http' => 'plain HTTP would show the credentials to the network',
            !$isUrl && $prefix !== '' => 'a path needs https:// before it',
            default => $url->prefixProblem(),
        };
        if ($problem !== null) {
            throw WebAddress::wrong('host', $text, $problem, self::WORDS['accepted']);
        }
        return new self($url->host . ($url->port === null ? '' : ":{$url->port}"), $prefix);
    }
}
