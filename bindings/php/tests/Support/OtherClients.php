<?php

declare(strict_types=1);

/*
 * Doubles of the clients that portals have already: the fields that a take-over reads, as each class keeps them, and a log-in that
 * really gets a ticket. Written from what is known of them, and not from their code.
 */

namespace Consolepass\Tests\Support\OtherClients;

/** What `POST access/ticket` answers; like those classes do it, nothing is verified. */
function log_in(string $hostname, int $port, string $username, string $password): array
{
    $context = stream_context_create([
        'http' => [
            'method' => 'POST',
            'header' => 'Content-Type: application/x-www-form-urlencoded',
            'content' => http_build_query(['username' => $username, 'password' => $password]),
        ],
        'ssl' => ['verify_peer' => false, 'verify_peer_name' => false],
    ]);
    $answer = file_get_contents("https://$hostname:$port/api2/json/access/ticket", false, $context);
    return json_decode((string) $answer, true, 8, JSON_THROW_ON_ERROR)['data'];
}

/** pve2_api.class.php. */
class Pve2Api
{
    protected $hostname;
    protected $username;
    protected $realm;
    protected $password;
    protected $port;
    protected $verify_ssl;
    protected $login_ticket = null;
    protected $login_ticket_timestamp = null;
    protected $cluster_node_list = null;

    public function __construct($hostname, $username, $realm, $password, $port = 8006, $verify_ssl = false)
    {
        $this->hostname = $hostname;
        $this->username = $username;
        $this->realm = $realm;
        $this->password = $password;
        $this->port = $port;
        $this->verify_ssl = $verify_ssl;
    }

    public function login(): bool
    {
        $this->login_ticket = log_in($this->hostname, $this->port, "{$this->username}@{$this->realm}", $this->password);
        $this->login_ticket_timestamp = time();
        return true;
    }
}

/** What a billing system made of it: more fields, a getter for the ticket, and a class of its own below it. */
final class BillingPve2Api extends Pve2Api
{
    private array $last_error = [];

    public function getTicket()
    {
        return $this->login_ticket['ticket'] ?? null;
    }

    /** Some keep the ticket and forget the password. */
    public function forgetPassword(): void
    {
        $this->password = null;
    }

    public function age(int $seconds): void
    {
        $this->login_ticket_timestamp -= $seconds;
    }

    public function spoilPassword(): void
    {
        $this->password = 'wrong';
    }
}

/** The first versions of it. */
final class OldPve2Api
{
    protected $pve_hostname;
    protected $pve_username;
    protected $pve_realm;
    protected $pve_password;
    protected $pve_login_ticket;

    public function __construct($hostname, $username, $realm, $password)
    {
        $this->pve_hostname = $hostname;
        $this->pve_username = $username;
        $this->pve_realm = $realm;
        $this->pve_password = $password;
    }
}

/** Those that were changed for tokens, each in its own way. */
final class TokenPve2Api
{
    protected $hostname;
    protected $port;
    protected $verify_ssl = false;

    public function __construct($hostname, $port, array $fields)
    {
        $this->hostname = $hostname;
        $this->port = $port;
        foreach ($fields as $name => $value) {
            $this->$name = $value;
        }
    }

    protected $api_token_id;
    protected $api_token_secret;
    protected ?string $tokenid = null;
    protected ?string $tokensecret = null;
    protected $tokenString;
}

/** corsinvest/cv4pve-api-php: the fields are private to the base. */
class PveClientBase
{
    private $timeout = 0;
    private $ticketCSRFPreventionToken;
    private $ticketPVEAuthCookie;
    private $hostname;
    private $apiToken;
    private $port;
    private $validateCertificate = false;

    public function __construct($hostname, $port = 8006)
    {
        $this->hostname = $hostname;
        $this->port = $port;
    }

    public function setApiToken($apiToken)
    {
        $this->apiToken = $apiToken;
        return $this;
    }

    public function login($username, $password, $realm = 'pam', $otp = null)
    {
        $data = log_in($this->hostname, $this->port, str_contains($username, '@') ? $username : "$username@$realm", $password);
        $this->ticketCSRFPreventionToken = $data['CSRFPreventionToken'];
        $this->ticketPVEAuthCookie = $data['ticket'];
        return true;
    }
}

final class PveClient extends PveClientBase
{
    private $nodes;
}
