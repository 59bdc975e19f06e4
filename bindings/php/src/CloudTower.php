<?php

declare(strict_types=1);

namespace Consolepass;

use Consolepass\Internal\ApiAddress;
use Consolepass\Internal\Text;

/**
 * The two websockets of SmartX CloudTower's VNC consoles: secrets, for they hold a token. Its `vnc` query answers two tokens, and
 * each is refused where the other one belongs.
 */
final class CloudTower
{
    /**
     * The websocket at the cluster, which must be reachable from where the link is used.
     *
     * @param string $rawToken the answer's raw_token
     * @throws Exception\ConsolepassException
     */
    public static function direct(
        #[\SensitiveParameter] string $clusterIp,
        #[\SensitiveParameter] string $vmUuid,
        #[\SensitiveParameter] string $hostIp,
        #[\SensitiveParameter] string $rawToken,
    ): string {
        return self::websocket($clusterIp, ['uuid' => $vmUuid, 'token' => $rawToken, 'host' => $hostIp]);
    }

    /**
     * The websocket at CloudTower.
     *
     * @param string $token the answer's token
     * @throws Exception\ConsolepassException
     */
    public static function via(
        #[\SensitiveParameter] string $cloudtower,
        #[\SensitiveParameter] string $vmUuid,
        #[\SensitiveParameter] string $hostIp,
        #[\SensitiveParameter] string $token,
    ): string {
        return self::websocket($cloudtower, ['token' => $token, 'uuid' => $vmUuid, 'host' => $hostIp]);
    }

    /** @param array<string, string> $query */
    private static function websocket(#[\SensitiveParameter] string $host, #[\SensitiveParameter] array $query): string
    {
        $address = ApiAddress::parse($host);
        foreach ($query as $name => $value) {
            Text::checked($name, $value);
        }
        // The slash before the query is the vendor's.
        return "wss://{$address->authority}{$address->prefix}/websockify/?"
            . http_build_query($query, '', '&', PHP_QUERY_RFC3986);
    }
}
