<?php

declare(strict_types=1);

namespace Consolepass\Internal;

/**
 * Options out of what a portal has already: an object of another client, whose fields are read and not changed.
 *
 * Whether the other one verifies certificates is not taken over. These classes do not, if they are not told to, and so it is no
 * word of the portal's own.
 */
final class Takeover
{
    /** A ticket is good for two hours; what has less than ten minutes left is not worth a try beside a password. */
    private const WORTH_A_TRY = 110 * 60;

    /**
     * The fields of pve2_api.class.php, and of the classes that were made from it: the first ones have `pve_` before each name,
     * and those for tokens each have names of their own.
     *
     * @return array<string, mixed>
     */
    public static function ofPve2Api(#[\SensitiveParameter] object $pve2): array
    {
        $fields = [];
        foreach (self::fields($pve2) as $name => $value) {
            $fields[str_starts_with($name, 'pve_') ? substr($name, 4) : $name] = $value;
        }
        $hostname = $fields['hostname'] ?? null;
        if (!is_string($hostname)) {
            throw Failure::invalid('fromPve2Api', $pve2::class, 'this is no PVE2_API: it has no field hostname');
        }
        $credentials = ['hostname' => $hostname, 'port' => $fields['port'] ?? null];
        $token = $fields['tokenString'] ?? null;
        $id = $fields['api_token_id'] ?? $fields['tokenid'] ?? null;
        if (is_string($token) || is_string($id)) {
            $secret = $fields['api_token_secret'] ?? $fields['tokensecret'] ?? null;
            return Credentials::options($credentials + ['apiToken' => $token, 'tokenId' => $id, 'tokenSecret' => $secret]);
        }
        $login = is_array($fields['login_ticket'] ?? null) ? $fields['login_ticket'] : [];
        $password = $fields['password'] ?? null;
        $age = time() - (int) ($fields['login_ticket_timestamp'] ?? time());
        if ($login === [] && !is_string($password)) {
            throw Failure::invalid('fromPve2Api', $pve2::class, 'it has no password, no token and no ticket');
        }
        return Credentials::options($credentials + [
            'username' => $fields['username'] ?? $login['username'] ?? null,
            'realm' => $fields['realm'] ?? null,
            'password' => $password,
        ]) + ($age < self::WORTH_A_TRY || $password === null ? self::login($login) : []);
    }

    /** @return array<string, mixed> */
    public static function ofCorsinvest(#[\SensitiveParameter] object $client): array
    {
        $fields = self::fields($client);
        if (!is_string($fields['hostname'] ?? null) || !array_key_exists('ticketPVEAuthCookie', $fields)) {
            $reason = 'this is no PveClient of corsinvest/cv4pve-api-php: it has no fields hostname and ticketPVEAuthCookie';
            throw Failure::invalid('fromCorsinvest', $client::class, $reason);
        }
        $credentials = ['hostname' => $fields['hostname'], 'port' => $fields['port'] ?? null];
        if (is_string($fields['apiToken'] ?? null)) {
            return Credentials::options($credentials + ['apiToken' => $fields['apiToken']]);
        }
        $ticket = $fields['ticketPVEAuthCookie'];
        if (!is_string($ticket) || $ticket === '') {
            $reason = 'it has no API token and no ticket: call setApiToken() or login() before';
            throw Failure::invalid('fromCorsinvest', $client::class, $reason);
        }
        // The client forgets who logged in; the ticket is PVE:USER@REALM:TIME::SIGNATURE.
        $username = explode(':', $ticket, 3)[1] ?? null;
        return Credentials::options($credentials + ['username' => $username])
            + self::login(['ticket' => $ticket, 'CSRFPreventionToken' => $fields['ticketCSRFPreventionToken'] ?? null]);
    }

    /**
     * @param array<mixed> $login what `POST access/ticket` has answered
     * @return array<string, string>
     */
    private static function login(#[\SensitiveParameter] array $login): array
    {
        $options = ['loginTicket' => $login['ticket'] ?? null, 'csrfToken' => $login['CSRFPreventionToken'] ?? null];
        return isset($options['loginTicket']) ? array_filter($options, 'is_string') : [];
    }

    /**
     * All fields of an object, those that only its own class or a parent may see as well.
     *
     * @return array<string, mixed>
     */
    private static function fields(#[\SensitiveParameter] object $object): array
    {
        $fields = [];
        for ($class = new \ReflectionClass($object); $class !== false; $class = $class->getParentClass()) {
            foreach ($class->getProperties() as $property) {
                if (!$property->isStatic() && $property->isInitialized($object)) {
                    $fields[$property->getName()] ??= $property->getValue($object);
                }
            }
        }
        return $fields;
    }
}
