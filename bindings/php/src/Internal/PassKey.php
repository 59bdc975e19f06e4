<?php

declare(strict_types=1);

namespace Consolepass\Internal;

use Consolepass\ErrorCode;

/** The key of signed passes, from a JWK file (RFC 7517). The algorithm is the key's. */
final class PassKey
{
    use NotUnserialized;

    private const LARGEST = 1 << 20;
    /** Of a file's mode: where its type stands, and two of them (POSIX, sys/stat.h). */
    private const TYPE = 0170000;
    private const REGULAR = 0100000;
    private const FOLDER = 0040000;
    private const SHARED_LENGTH = 32;
    private const HALF_LENGTH = 32;
    private const PUBLIC_HALF =
        'this is the public half of an EdDSA key, which checks passes and signs none; the private half has a member d';

    private const CLOSED = 'let the user that PHP runs as read the file, and enter its folder, such as by chgrp www-data and chmod 640; '
        . 'pass --new-key makes a file that its owner alone may read';

    /** The first part of every pass. */
    public readonly string $header;

    /** @param Secret $key for HS256 the shared one, for EdDSA sodium's secret key */
    private function __construct(private readonly string $algorithm, string $id, private readonly Secret $key)
    {
        $header = ['alg' => $algorithm, 'kid' => $id, 'typ' => 'consolepass-pass+jwt'];
        $this->header = Base64Url::encode(Json::encode($header));
    }

    public static function fromFile(#[\SensitiveParameter] string $path): self
    {
        if (self::isAddress($path)) {
            // It is not shown: the key itself may stand in it.
            throw Failure::invalid('passKeyFile', '…', 'No such file or directory: this is an address, and a path is wanted');
        }
        $text = self::read($path);
        try {
            return self::fromJwk($text);
        } catch (WrongKey $wrong) {
            throw Failure::invalid('passKeyFile', $path, $wrong->getMessage());
        }
    }

    /** Whether PHP would read it from somewhere else than a file of this system: data:, https://, php://, phar://. */
    private static function isAddress(#[\SensitiveParameter] string $path): bool
    {
        return str_contains($path, '://') || stripos($path, 'data:') === 0;
    }

    private static function read(#[\SensitiveParameter] string $path): string
    {
        // Of a folder PHP reads an empty text and a notice, and a pipe or a device may never end.
        [$found] = Warnings::during(static fn (): array|false => stat($path));
        $type = $found === false ? self::REGULAR : $found['mode'] & self::TYPE;
        if ($type !== self::REGULAR) {
            $reason = $type === self::FOLDER ? 'this is a folder' : 'it is no regular file';
            throw Failure::invalid('passKeyFile', $path, $reason);
        }
        [$text, $said] = Warnings::during(static fn (): string|false => file_get_contents($path, length: self::LARGEST + 1));
        if ($text !== false && $said === '') {
            return strlen($text) <= self::LARGEST ? $text : throw Failure::invalid('passKeyFile', $path, 'it is larger than 1 MiB');
        }
        if (str_contains($said, 'open_basedir')) {
            $reason = 'PHP\'s open_basedir does not allow it: ' . Text::quoted((string) ini_get('open_basedir'));
            throw Failure::invalid('passKeyFile', $path, $reason);
        }
        // file_get_contents(pass.jwk): Failed to open stream: Permission denied
        $reason = (string) preg_replace('/^.*: /s', '', $said);
        throw Failure::invalid('passKeyFile', $path, $reason, str_ends_with($said, ': Permission denied') ? self::CLOSED : null);
    }

    /** The signature of $message. */
    public function sign(#[\SensitiveParameter] string $message): string
    {
        return $this->algorithm === 'HS256'
            ? hash_hmac('sha256', $message, $this->key->expose(), true)
            : sodium_crypto_sign_detached($message, $this->key->expose());
    }

    private static function fromJwk(#[\SensitiveParameter] string $text): self
    {
        $jwk = json_decode($text, true, 2);
        $wanted = ['kty', 'alg', 'kid', 'k', 'crv', 'x', 'd'];
        $isJwk = is_array($jwk) && isset($jwk['kty'], $jwk['alg'], $jwk['kid'])
            && array_filter($jwk, 'is_string') === $jwk && array_diff(array_keys($jwk), $wanted) === [];
        if (!$isJwk) {
            throw new WrongKey('must be a JWK with the members kty, alg, kid and k, or kty, crv, alg, kid, x and d');
        }
        return match ([$jwk['kty'], $jwk['crv'] ?? null, $jwk['alg']]) {
            ['oct', null, 'HS256'] => self::shared($jwk),
            ['OKP', 'Ed25519', 'EdDSA'] => self::privateHalf($jwk),
            default => throw new WrongKey(
                'accepted are kty oct with alg HS256, and kty OKP with crv Ed25519 and alg EdDSA; not kty '
                . Text::quoted($jwk['kty']) . (isset($jwk['crv']) ? ', crv ' . Text::quoted($jwk['crv']) : '')
                . ' and alg ' . Text::quoted($jwk['alg']),
            ),
        };
    }

    /** @param array<string, string> $jwk */
    private static function shared(#[\SensitiveParameter] array $jwk): self
    {
        if (!isset($jwk['k']) || isset($jwk['x']) || isset($jwk['d'])) {
            throw new WrongKey('a key of type oct has the members kty, alg, kid and k');
        }
        $key = self::decoded('k', $jwk['k']);
        if (strlen($key) < self::SHARED_LENGTH) {
            throw new WrongKey('k must hold at least ' . self::SHARED_LENGTH . ' bytes, not ' . strlen($key));
        }
        return new self('HS256', $jwk['kid'], new Secret($key));
    }

    /** @param array<string, string> $jwk */
    private static function privateHalf(#[\SensitiveParameter] array $jwk): self
    {
        if (!isset($jwk['x']) || isset($jwk['k'])) {
            throw new WrongKey('a key of type OKP has the members kty, crv, alg, kid, x and, if it is private, d');
        }
        $public = self::half('x', $jwk['x']);
        if (!isset($jwk['d'])) {
            throw new WrongKey(self::PUBLIC_HALF);
        }
        $seed = self::half('d', $jwk['d']);
        if (!function_exists('sodium_crypto_sign_detached')) {
            throw Failure::of(
                ErrorCode::Unsupported,
                'passKeyFile: an EdDSA key needs the PHP extension sodium, which is not loaded',
                'enable sodium, or use a shared key, which needs nothing: vendor/bin/consolepass pass --new-key FILE',
            );
        }
        $pair = sodium_crypto_sign_seed_keypair($seed);
        if (!hash_equals(sodium_crypto_sign_publickey($pair), $public)) {
            throw new WrongKey('x and d are no pair');
        }
        return new self('EdDSA', $jwk['kid'], new Secret(sodium_crypto_sign_secretkey($pair)));
    }

    private static function half(string $name, #[\SensitiveParameter] string $text): string
    {
        $bytes = self::decoded($name, $text);
        if (strlen($bytes) !== self::HALF_LENGTH) {
            throw new WrongKey("$name must hold " . self::HALF_LENGTH . ' bytes, not ' . strlen($bytes));
        }
        return $bytes;
    }

    private static function decoded(string $name, #[\SensitiveParameter] string $text): string
    {
        return Base64Url::decode($text) ?? throw new WrongKey("$name must be base64url without padding");
    }
}
