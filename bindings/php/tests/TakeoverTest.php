<?php

declare(strict_types=1);

namespace Consolepass\Tests;

use Consolepass\Exception;
use Consolepass\Internal\Credentials;
use Consolepass\Internal\Takeover;
use Consolepass\Proxmox;
use Consolepass\Tests\Support\Hypervisor;
use Consolepass\Tests\Support\OtherClients\BillingPve2Api;
use Consolepass\Tests\Support\OtherClients\OldPve2Api;
use Consolepass\Tests\Support\OtherClients\Pve2Api;
use Consolepass\Tests\Support\OtherClients\PveClient;
use Consolepass\Tests\Support\OtherClients\TokenPve2Api;
use PHPUnit\Framework\TestCase;

require_once __DIR__ . '/Support/OtherClients.php';

/** A portal that has a client already hands it over; the consoles are then really opened. */
final class TakeoverTest extends TestCase
{
    private Hypervisor $hypervisor;

    /** @var array<string, string> what the other clients do not know */
    private array $trust;

    protected function setUp(): void
    {
        $this->hypervisor = Hypervisor::shared();
        $this->trust = ['fingerprint' => $this->hypervisor->fingerprint];
    }

    public function testAPve2ApiIsTakenOverBeforeAndAfterItsLogIn(): void
    {
        $pve2 = $this->pve2(Pve2Api::class);
        $this->assertOpens(Proxmox::fromPve2Api($pve2, $this->trust));
        $pve2->login();
        $this->assertOpens(Proxmox::fromPve2Api($pve2, $this->trust));
    }

    public function testItsTicketServesWhereThereIsNoPasswordAnyMore(): void
    {
        $billing = $this->pve2(BillingPve2Api::class);
        $billing->login();
        $billing->forgetPassword();

        $this->assertOpens(Proxmox::fromPve2Api($billing, $this->trust));
        $this->assertSame($billing->getTicket(), Takeover::ofPve2Api($billing)['loginTicket']);
    }

    /** That class never notices that its ticket has ended; the password is better then. */
    public function testATicketThatHasEndedIsNotTriedBesideAPassword(): void
    {
        $billing = $this->pve2(BillingPve2Api::class);
        $billing->login();
        $this->assertArrayHasKey('loginTicket', Takeover::ofPve2Api($billing));

        $billing->age(7200);

        $this->assertArrayNotHasKey('loginTicket', Takeover::ofPve2Api($billing));
        $billing->forgetPassword();
        $this->assertArrayHasKey('loginTicket', Takeover::ofPve2Api($billing));
    }

    /** The ticket is used while it is good: no second log-in, which a locked account or a rate limit would refuse. */
    public function testAGoodTicketIsUsedBeforeThePassword(): void
    {
        $billing = $this->pve2(BillingPve2Api::class);
        $billing->login();
        $billing->spoilPassword();

        $this->assertOpens(Proxmox::fromPve2Api($billing, $this->trust));
    }

    public function testTheFirstVersionsHaveOtherNames(): void
    {
        $old = new OldPve2Api('pve.example.com', 'root', 'pam', 'secret');

        $this->assertSame(
            ['password' => 'secret', 'host' => 'pve.example.com', 'username' => 'root@pam'],
            Takeover::ofPve2Api($old),
        );
    }

    /**
     * @testWith [{"api_token_id": "portal@pve!console", "api_token_secret": "8f2a6c1e-5b1d-4f0e-9c57-1f0c2d3e4b5a"}]
     *           [{"tokenid": "portal@pve!console", "tokensecret": "8f2a6c1e-5b1d-4f0e-9c57-1f0c2d3e4b5a"}]
     *           [{"tokenString": "PVEAPIToken=portal@pve!console=8f2a6c1e-5b1d-4f0e-9c57-1f0c2d3e4b5a"}]
     */
    public function testThoseThatWereChangedForTokensAreTakenOver(array $fields): void
    {
        $token = new TokenPve2Api('127.0.0.1', $this->hypervisor->port(), $fields);

        $this->assertOpens(Proxmox::fromPve2Api($token, $this->trust));
    }

    public function testAPveClientIsTakenOverWithItsTokenOrItsTicket(): void
    {
        $client = new PveClient('127.0.0.1', $this->hypervisor->port());
        $client->login(Hypervisor::USERNAME, Hypervisor::PASSWORD);
        $this->assertOpens(Proxmox::fromCorsinvest($client, $this->trust));

        $client->setApiToken(Hypervisor::TOKEN_ID . '=' . Hypervisor::TOKEN_SECRET);
        $this->assertOpens(Proxmox::fromCorsinvest($client, $this->trust));
    }

    /** Those classes verify nothing unless they are told to, and nobody has said so in words. */
    public function testCertificatesAreVerifiedWhateverTheOtherClientDoes(): void
    {
        $client = (new PveClient('127.0.0.1', $this->hypervisor->port()))->setApiToken('a@pve!b=c');
        foreach ([Proxmox::fromPve2Api($this->pve2(Pve2Api::class)), Proxmox::fromCorsinvest($client)] as $backend) {
            try {
                $backend->open('qemu/101');
                $this->fail('a certificate that nobody knows was trusted');
            } catch (Exception\TlsUntrusted $error) {
                $this->assertSame($this->hypervisor->fingerprint, $error->fingerprint);
            }
        }
    }

    public function testWhatIsGivenBesideCountsBefore(): void
    {
        $options = ['username' => 'someone@pve', 'password' => 'else'] + $this->trust;

        $this->expectException(Exception\AuthFailed::class);
        Proxmox::fromPve2Api($this->pve2(Pve2Api::class), $options)->open('qemu/101');
    }

    public function testWhatIsNoSuchClientIsNamed(): void
    {
        $empty = new PveClient('pve', 8006);
        $calls = [
            'this is no PVE2_API' => static fn () => Proxmox::fromPve2Api(new \stdClass()),
            'it has no password, no token and no ticket' => static fn () => Proxmox::fromPve2Api(new OldPve2Api('h', null, null, null)),
            'this is no PveClient' => static fn () => Proxmox::fromCorsinvest(new \ArrayObject()),
            'call setApiToken() or login() before' => static fn () => Proxmox::fromCorsinvest($empty),
        ];
        foreach ($calls as $words => $call) {
            try {
                $call();
                $this->fail($words);
            } catch (Exception\InvalidArgument $error) {
                $this->assertStringContainsString($words, $error->getMessage());
            }
        }
    }

    /** @return array<string, array{array<string, mixed>, array<string, mixed>}> */
    public function credentials(): array
    {
        $token = ['tokenId' => 'u@pve!t', 'tokenSecret' => 'uuid'];
        return [
            'pve2_api and ZzAntares' => [
                ['hostname' => 'pve', 'username' => 'root', 'password' => 'x', 'realm' => 'pam', 'port' => '8006'],
                ['password' => 'x', 'host' => 'pve:8006', 'username' => 'root@pam'],
            ],
            'a user with realm' => [['host' => 'pve', 'user' => 'a@pve', 'realm' => 'pve', 'password' => 'x'],
                ['password' => 'x', 'host' => 'pve', 'username' => 'a@pve']],
            'a whole token' => [['hostname' => 'pve', 'apiToken' => 'u@pve!t=uuid'], ['host' => 'pve'] + $token],
            'the header of one' => [['hostname' => 'pve', 'api_token' => 'PVEAPIToken=u@pve!t=uuid'], ['host' => 'pve'] + $token],
            'its two parts' => [['token_id' => 'u@pve!t', 'token-secret' => 'uuid'], $token],
            'its name and value' => [['user' => 'u@pve', 'tokenName' => 't', 'token_value' => 'uuid'], $token],
            'the same with a realm' => [['username' => 'u', 'realm' => 'pve', 'tokenId' => 't', 'tokenSecret' => 'uuid'], $token],
            'a URL and its port' => [['url' => 'https://pve/x', 'port' => 8443] + $token, ['host' => 'https://pve:8443/x'] + $token],
            'IPv6' => [['host' => '::1', 'port' => 8006] + $token, ['host' => '[::1]:8006'] + $token],
            'IPv6 in brackets' => [['host' => '[::1]', 'port' => 8006] + $token, ['host' => '[::1]:8006'] + $token],
            'the same port twice' => [['host' => 'pve:8006', 'port' => 8006] + $token, ['host' => 'pve:8006'] + $token],
            'several hosts' => [['host' => ['a', 'b']] + $token, ['host' => ['a', 'b']] + $token],
            'no verification' => [['verify_ssl' => false] + $token, $token + ['insecure' => true]],
            'no verification, from an environment' => [['VERIFY_SSL' => '0'] + $token, $token + ['insecure' => true]],
            'verification' => [['verifySsl' => true] + $token, $token],
            'an authority' => [['verify_ssl' => '/etc/pve-root-ca.pem'] + $token, $token + ['caFile' => '/etc/pve-root-ca.pem']],
            'a pin counts more' => [['verify_ssl' => false, 'fingerprint' => 'AB'] + $token, ['fingerprint' => 'AB'] + $token],
            'empty ones are none' => [['password' => '', 'username' => null] + $token, $token],
        ];
    }

    /**
     * @dataProvider credentials
     * @param array<string, mixed> $given
     * @param array<string, mixed> $options
     */
    public function testCredentialsAreUnderstoodUnderTheNamesThatPortalsHave(array $given, array $options): void
    {
        $this->assertEquals($options, Credentials::options($given));
    }

    public function testAConsoleIsOpenedWithThem(): void
    {
        $this->assertOpens(Proxmox::fromCredentials([
            'hostname' => '127.0.0.1',
            'port' => $this->hypervisor->port(),
            'username' => 'portal',
            'realm' => 'pve',
            'password' => Hypervisor::PASSWORD,
            'verify_ssl' => false,
        ]));
    }

    /** As frameworks have them, which keep their secrets in objects. */
    public function testATextMayBeAnObjectThatIsOne(): void
    {
        $text = static fn (string $text): \Stringable => new class ($text) implements \Stringable {
            public function __construct(private readonly string $text)
            {
            }

            public function __toString(): string
            {
                return $this->text;
            }
        };
        $this->assertOpens(Proxmox::fromCredentials([
            'hostname' => $text('127.0.0.1'),
            'port' => $text((string) $this->hypervisor->port()),
            'token' => $text(Hypervisor::TOKEN_ID . '=' . Hypervisor::TOKEN_SECRET),
            'verify_ssl' => false,
        ]));
    }

    public function testWhatCannotBeUnderstoodIsNamed(): void
    {
        $account = ['host' => 'pve', 'username' => 'a@pve', 'password' => 'hunter2'];
        $cases = [
            '"node"; the names are hostname, port' => ['node' => 'pve1'],
            'another name has said, which is host' => ['host' => 'a', 'hostname' => 'b'],
            'the host has :8006 as well' => ['host' => 'pve:8006', 'port' => 443],
            'port: must be a whole number' => ['host' => 'pve', 'port' => 'https'],
            'realm: "pam", and the username has another one' => ['username' => 'a@pve', 'realm' => 'pam'],
            'accepted is USER@REALM!TOKENID=UUID' => ['apiToken' => 'u@pve!t'],
            'verifySsl: must be true, false' => ['verifySsl' => []],
            'apiToken: must be text, not int' => $account + ['apiToken' => 123],
            'apiToken: must be text, not array' => $account + ['token' => ['u@pve!t=x']],
            'apiToken: must be text, not bool' => $account + ['api_token' => false],
            'realm: must be text, not int' => ['realm' => 1] + $account,
            'username: must be text, not int' => ['username' => 1, 'host' => 'pve', 'apiToken' => 'u@pve!t=x'],
        ];
        foreach ($cases as $words => $credentials) {
            try {
                Proxmox::fromCredentials($credentials);
                $this->fail($words);
            } catch (Exception\InvalidArgument $error) {
                $this->assertStringContainsString($words, $error->getMessage());
            }
        }
    }

    /**
     * @template T of Pve2Api
     * @param class-string<T> $class
     * @return T
     */
    private function pve2(string $class): Pve2Api
    {
        return new $class('127.0.0.1', 'portal', 'pve', Hypervisor::PASSWORD, $this->hypervisor->port(), false);
    }

    private function assertOpens(Proxmox $backend): void
    {
        $this->assertSame('pve1/qemu/101', $backend->open('qemu/101')->machine());
    }
}
