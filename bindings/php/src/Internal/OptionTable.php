<?php

// Made by tools/tables.php.

declare(strict_types=1);

namespace Consolepass\Internal;

/** The options of each scope, as PHP spells them. */
final class OptionTable
{
    public const SCOPES = [
        'proxmox' => [
            'host' => ['type' => 'list'],
            'tokenId' => ['type' => 'string'],
            'tokenSecret' => ['type' => 'secret'],
            'username' => ['type' => 'string'],
            'password' => ['type' => 'secret'],
            'loginTicket' => ['type' => 'secret'],
            'csrfToken' => ['type' => 'secret'],
            'fingerprint' => ['type' => 'list'],
            'caFile' => ['type' => 'string'],
            'insecure' => ['type' => 'boolean', 'default' => 'false'],
            'proxy' => ['type' => 'secret'],
            'timeout' => ['type' => 'seconds', 'min' => 1, 'max' => 120, 'default' => '10'],
        ],
        'vnc' => [
            'host' => ['type' => 'list'],
            'password' => ['type' => 'secret'],
            'timeout' => ['type' => 'seconds', 'min' => 1, 'max' => 120, 'default' => '10'],
        ],
        'relay' => [
            'listen' => ['type' => 'string', 'default' => '127.0.0.1:8700'],
            'publicUrl' => ['type' => 'string'],
            'allowedOrigins' => ['type' => 'list'],
            'allowMissingOrigin' => ['type' => 'boolean', 'default' => 'false'],
            'frameAncestors' => ['type' => 'list'],
            'store' => ['type' => 'string', 'default' => 'memory'],
            'passKeyFile' => ['type' => 'string'],
            'marksDir' => ['type' => 'string'],
            'maxSessions' => ['type' => 'integer', 'min' => 1, 'max' => 1000000, 'default' => '1000'],
            'maxHandshakes' => ['type' => 'integer', 'min' => 1, 'max' => 100000, 'default' => '200'],
            'handshakeTimeout' => ['type' => 'seconds', 'min' => 1, 'max' => 120, 'default' => '10'],
            'sessionMaxAge' => ['type' => 'seconds', 'min' => 1, 'max' => 2592000, 'default' => '28800'],
            'idleTimeout' => ['type' => 'seconds', 'min' => 1, 'max' => 2592000, 'default' => '3600'],
            'pingInterval' => ['type' => 'seconds', 'min' => 1, 'max' => 3600, 'default' => '25'],
            'shutdownGrace' => ['type' => 'seconds', 'min' => 0, 'max' => 3600, 'default' => '5'],
        ],
        'issuer' => [
            'publicUrl' => ['type' => 'string'],
            'passKeyFile' => ['type' => 'string'],
        ],
        'pass' => [
            'user' => ['type' => 'string'],
            'ttl' => ['type' => 'seconds', 'min' => 1, 'max' => 300, 'default' => '60'],
            'kind' => ['type' => 'string', 'default' => 'vnc'],
        ],
        'page' => [
            'version' => ['type' => 'string', 'default' => '1.7'],
            'viewOnly' => ['type' => 'boolean', 'default' => 'false'],
            'resize' => ['type' => 'string', 'default' => 'scale'],
            'withPassword' => ['type' => 'boolean', 'default' => 'false'],
            'foreignOrigin' => ['type' => 'boolean', 'default' => 'false'],
        ],
    ];
}
