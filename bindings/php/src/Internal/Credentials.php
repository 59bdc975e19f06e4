<?php

declare(strict_types=1);

namespace Consolepass\Internal;

use Consolepass\ErrorCode;
use Consolepass\Exception\ConsolepassException;

/** Options out of an array as portals have it in their configuration, whose names each client library has made up anew. */
final class Credentials
{
    /** By what they are called here: the names without capitals, dashes and underscores. */
    private const NAMES = [
        'host' => ['host', 'hostname', 'server', 'url'],
        'port' => ['port'],
        'username' => ['username', 'user'],
        'realm' => ['realm'],
        'password' => ['password'],
        'apiToken' => ['apitoken', 'token'],
        'tokenId' => ['tokenid', 'apitokenid', 'tokenname'],
        'tokenSecret' => ['tokensecret', 'apitokensecret', 'tokenvalue'],
        'verifySsl' => ['verifyssl', 'verifytls', 'validatecertificate'],
        'fingerprint' => ['fingerprint'],
        'caFile' => ['cafile', 'capath'],
        'insecure' => ['insecure'],
        'timeout' => ['timeout'],
    ];

    /** What is put together here, and would be ignored if it were no text. Options::check() looks at all the others. */
    private const TEXTS = ['username', 'realm', 'apiToken'];

    /** For errors. */
    private const KNOWN = 'hostname, port, username, realm, password, apiToken, tokenId, tokenSecret, verifySsl, fingerprint, '
        . 'caFile, insecure, timeout';

    /**
     * @param array<mixed> $credentials
     * @return array<string, mixed> of the class Proxmox
     */
    public static function options(#[\SensitiveParameter] array $credentials): array
    {
        $given = self::named($credentials);
        $options = array_intersect_key($given, array_flip(['password', 'fingerprint', 'caFile', 'insecure', 'timeout']));
        if (isset($given['host'])) {
            $options['host'] = self::host($given['host'], $given['port'] ?? null);
        }
        $username = self::username($given);
        $token = self::token($given, $username);
        if ($token !== []) {
            // A token's name stands beside its user's, and says all of it; a password beside it is a second account.
            $options += $token;
        } elseif ($username !== null) {
            $options['username'] = $username;
        }
        return $options + self::trust($given['verifySsl'] ?? null, $options);
    }

    /**
     * @param array<mixed> $credentials
     * @return array<string, mixed>
     */
    private static function named(#[\SensitiveParameter] array $credentials): array
    {
        $given = [];
        foreach ($credentials as $name => $value) {
            $plain = strtolower(str_replace(['_', '-'], '', (string) $name));
            $known = array_filter(self::NAMES, static fn (array $names): bool => in_array($plain, $names, true));
            $key = array_key_first($known);
            if ($key === null) {
                throw self::wrong("unknown name " . Text::quoted((string) $name) . '; the names are ' . self::KNOWN);
            }
            if ($value === null || $value === '') {
                continue;
            }
            if (isset($given[$key])) {
                throw self::wrong(Text::quoted((string) $name) . " says again what another name has said, which is $key");
            }
            $given[$key] = $value instanceof \Stringable ? (string) $value : $value;
            if (in_array($key, self::TEXTS, true) && !is_string($given[$key])) {
                throw self::wrong("$key: must be text, not " . get_debug_type($value));
            }
        }
        return $given;
    }

    /** A port of its own belongs to a host that has none. */
    private static function host(#[\SensitiveParameter] mixed $host, #[\SensitiveParameter] mixed $port): mixed
    {
        if ($port === null || !is_string($host)) {
            return $host;
        }
        if (!is_int($port) && !(is_string($port) && preg_match('/^[0-9]+$/D', $port) === 1)) {
            throw self::wrong('port: must be a whole number');
        }
        if (preg_match('#^([a-z]+://)?(\[[^\]]*\]|[^/:\[]+)(:[0-9]+)?(/.*)?$#i', $host, $parts, PREG_UNMATCHED_AS_NULL) === 1) {
            $own = $parts[3] ?? ":$port";
            if ($own !== ":$port") {
                throw self::wrong("port: $port, and the host has $own as well");
            }
            return ($parts[1] ?? '') . $parts[2] . ":$port" . ($parts[4] ?? '');
        }
        // IPv6 without brackets; what is none is for the core to refuse.
        return str_contains($host, '/') ? $host : "[$host]:$port";
    }

    /** @param array<string, mixed> $given */
    private static function username(#[\SensitiveParameter] array $given): mixed
    {
        $username = $given['username'] ?? null;
        $realm = $given['realm'] ?? null;
        if (!is_string($username) || !is_string($realm)) {
            return $username;
        }
        if (!str_contains($username, '@')) {
            return "$username@$realm";
        }
        if (!str_ends_with($username, "@$realm")) {
            throw self::wrong('realm: ' . Text::quoted($realm) . ', and the username has another one: ' . Text::quoted($username));
        }
        return $username;
    }

    /**
     * @param array<string, mixed> $given
     * @return array<string, mixed>
     */
    private static function token(#[\SensitiveParameter] array $given, #[\SensitiveParameter] mixed $username): array
    {
        $whole = $given['apiToken'] ?? null;
        $secret = $given['tokenSecret'] ?? null;
        $id = $given['tokenId'] ?? null;
        if (is_string($whole) && $secret === null) {
            // As Proxmox VE shows it, as its clients write it into the header, and as PHP's libraries want it.
            $whole = preg_replace('/^PVEAPIToken[= ]/', '', $whole);
            if (preg_match('/^([^=]+)=([^=]+)$/D', (string) $whole, $parts) !== 1) {
                throw self::wrong('apiToken: accepted is USER@REALM!TOKENID=UUID, also with PVEAPIToken= before it');
            }
            return ['tokenId' => $parts[1], 'tokenSecret' => $parts[2]];
        }
        if ($id === null && $secret === null) {
            return [];
        }
        if (is_string($id) && !str_contains($id, '!') && is_string($username)) {
            $id = "$username!$id";
        }
        return ['tokenId' => $id ?? $whole, 'tokenSecret' => $secret];
    }

    /**
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    private static function trust(#[\SensitiveParameter] mixed $verify, #[\SensitiveParameter] array $options): array
    {
        // A certificate that is pinned, or has an authority of its own, is verified whatever else was said.
        $isVerified = isset($options['fingerprint']) || isset($options['caFile']) || isset($options['insecure']);
        return match (true) {
            $verify === null, $verify === true, $verify === 1, $verify === '1', $verify === 'true' => [],
            $verify === false, $verify === 0, $verify === '0', $verify === 'false' => $isVerified ? [] : ['insecure' => true],
            is_string($verify) => ['caFile' => $verify] + $options,
            default => throw self::wrong('verifySsl: must be true, false, or the file of a certificate authority'),
        };
    }

    private static function wrong(string $reason): ConsolepassException
    {
        return Failure::of(ErrorCode::InvalidArgument, "credentials: $reason");
    }
}
