<?php

declare(strict_types=1);

namespace Consolepass;

use Consolepass\Internal\Credentials;
use Consolepass\Internal\Takeover;

/** A Proxmox VE cluster, and an account on it. */
final class Proxmox extends Backend
{
    /**
     * @param array{
     *     host: string|list<string>,
     *     tokenId?: string,
     *     tokenSecret?: string,
     *     username?: string,
     *     password?: string,
     *     loginTicket?: string,
     *     csrfToken?: string,
     *     fingerprint?: string|list<string>,
     *     caFile?: string,
     *     insecure?: bool,
     *     proxy?: string,
     *     timeout?: int,
     * } $options
     * @throws Exception\ConsolepassException
     */
    public function __construct(#[\SensitiveParameter] array $options)
    {
        parent::__construct('proxmox', $options);
    }

    /**
     * Takes over a `PVE2_API` of pve2_api.class.php, or a class that was made from it: its host and its account.
     *
     * That class verifies certificates only if it is told to, and this one always does. A cluster with a certificate of its own is
     * named by its fingerprint, or by the file of its authority: `fromPve2Api($pve2, ['fingerprint' => 'AB:CD:…'])`. The error
     * without it has the fingerprint that was seen.
     *
     * @param array<string, mixed> $options more of the constructor's
     * @throws Exception\ConsolepassException
     */
    public static function fromPve2Api(#[\SensitiveParameter] object $pve2, #[\SensitiveParameter] array $options = []): self
    {
        return new self($options + Takeover::ofPve2Api($pve2));
    }

    /**
     * Takes over a `PveClient` of corsinvest/cv4pve-api-php: its host, and its API token or the ticket that it has got. As for
     * fromPve2Api(), certificates are verified whether or not the other does it.
     *
     * @param array<string, mixed> $options more of the constructor's
     * @throws Exception\ConsolepassException
     */
    public static function fromCorsinvest(#[\SensitiveParameter] object $client, #[\SensitiveParameter] array $options = []): self
    {
        return new self($options + Takeover::ofCorsinvest($client));
    }

    /**
     * Takes an array as portals have it in their configuration.
     *
     * Known are: `hostname`, `host` or `server`, and `port`; `username` or `user`, `realm`, and `password`; `apiToken`
     * (`USER@REALM!TOKENID=UUID`, also with `PVEAPIToken=` before it), or `tokenId` or `tokenName` with `tokenSecret` or `tokenValue`;
     * `verifySsl` (true, false, or a file with an authority); `fingerprint`, `caFile`, `timeout`. Capitals, dashes and
     * underscores make no difference: `api_token` is `apiToken`. `verifySsl => false` trusts any certificate,
     * unless one is pinned.
     *
     * @param array<string, mixed> $credentials
     * @throws Exception\ConsolepassException
     */
    public static function fromCredentials(#[\SensitiveParameter] array $credentials): self
    {
        return new self(Credentials::options($credentials));
    }
}
