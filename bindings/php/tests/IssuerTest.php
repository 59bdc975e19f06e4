<?php

declare(strict_types=1);

namespace Consolepass\Tests;

use Consolepass\ErrorCode;
use Consolepass\Exception;
use Consolepass\Issuer;
use Consolepass\Pass;
use Consolepass\Tests\Support\Folder;
use Consolepass\Tests\Support\Program;
use Consolepass\Tests\Support\RelayProgram;
use PHPUnit\Framework\TestCase;

/** What plain PHP signs is what the relay takes: a relay that really runs decides. */
final class IssuerTest extends TestCase
{
    private static ?Folder $folder = null;

    /** @var array<string, array{RelayProgram, Issuer}> */
    private static array $pairs = [];

    public static function setUpBeforeClass(): void
    {
        self::$folder = new Folder();
        $shared = Program::newKey(self::$folder);
        [$private, $public] = Program::newPair(self::$folder);
        foreach (['HS256' => [$shared, $shared], 'EdDSA' => [$private, $public]] as $algorithm => [$portal, $relay]) {
            $issuer = self::issuer($portal);
            self::$pairs[$algorithm] = [new RelayProgram(self::$folder, $relay), $issuer];
        }
    }

    public static function tearDownAfterClass(): void
    {
        self::$pairs = [];
        self::$folder = null;
    }

    /** @return array<string, array{string}> */
    public function algorithms(): array
    {
        return ['HS256' => ['HS256'], 'EdDSA' => ['EdDSA']];
    }

    /** @dataProvider algorithms */
    public function testAPassOpensAConsoleOnce(string $algorithm): void
    {
        [$relay, $issuer] = self::$pairs[$algorithm];
        $pass = $issuer->issue('dc1', 'qemu/101', ['user' => 'zoë "42" \\ 日本', 'ttl' => 300]);

        [$width, $height] = $relay->browser($pass->url())->logIn();
        $second = $relay->browser($pass->url());

        $this->assertTrue($width > 0 && $height > 0);
        $this->assertStringStartsWith(ErrorCode::PassUsed->sentence(), $second->refusal());
        $this->assertSame(4000 + ErrorCode::PassUsed->number(), $second->end()[0]);
        $this->assertStringContainsString($pass->reference(), $relay->log());
        $this->assertStringNotContainsString($pass->subProtocol(), $relay->log());
    }

    /** @dataProvider algorithms */
    public function testTheRelayTellsWhyItRefuses(string $algorithm): void
    {
        [$relay, $issuer] = self::$pairs[$algorithm];
        [, $other] = self::$pairs[$algorithm === 'HS256' ? 'EdDSA' : 'HS256'];
        $elsewhere = new Issuer(['publicUrl' => 'https://other.example', 'passKeyFile' => Program::newKey(self::$folder)]);
        $cases = [
            [$other->issue('dc1', 'qemu/101'), ErrorCode::PassInvalid],
            [$issuer->issue('dc2', 'qemu/101'), ErrorCode::PassInvalid],
            [$elsewhere->issue('dc1', 'qemu/101'), ErrorCode::PassForeign],
            [$issuer->issue('dc1', 'qemu/999'), ErrorCode::MachineNotFound],
            [$issuer->issue('dc1', 'qemu/102'), ErrorCode::MachineNotRunning],
        ];
        foreach ($cases as [$pass, $code]) {
            $url = RelayProgram::PUBLIC_URL . strstr($pass->url(), '/ws?');

            $this->assertStringStartsWith($code->sentence(), $relay->browser($url)->refusal());
        }
        $foreign = $relay->browser($issuer->issue('dc1', 'qemu/101')->url(), 'https://evil.example');
        $this->assertStringStartsWith(ErrorCode::OriginRefused->sentence(), $foreign->refusal());
    }

    /** The relay reads each claim strictly, so one of each kind has to pass through it. */
    public function testEverySpellingOfAMachineArrives(): void
    {
        [$relay, $issuer] = self::$pairs['HS256'];
        foreach (['qemu/101', 'pve1/qemu/101', '101', '0101', 'qemu/0101'] as $machine) {
            $relay->browser($issuer->issue('dc1', $machine)->url())->logIn();
        }
        $this->assertStringContainsString('machine=pve1/qemu/101', $relay->log());
    }

    public function testAPassExpires(): void
    {
        [$relay, $issuer] = self::$pairs['EdDSA'];
        $pass = $issuer->issue('dc1', 'qemu/101', ['ttl' => 1]);
        $this->assertEqualsWithDelta(microtime(true) + 1, (float) $pass->expiresAt()->format('U.u'), 0.5);

        // Its clock may differ from ours by five seconds, so there is nothing to wait for but the time.
        usleep((int) (1e6 * (6.05 + (float) $pass->expiresAt()->format('U.u') - 1 - microtime(true))));

        $this->assertStringStartsWith(ErrorCode::PassExpired->sentence(), $relay->browser($pass->url())->refusal());
    }

    public function testTheUrlsFollowFromThePublicOne(): void
    {
        $pass = self::issuer(Program::newKey(self::$folder), 'https://Portal.example.com:443/console/')->issue('dc1', 'qemu/101');

        $text = substr($pass->url(), strlen('wss://portal.example.com/console/ws?pass='));

        $this->assertSame("wss://portal.example.com/console/ws?pass=$text", $pass->url());
        $this->assertSame("https://portal.example.com/console/#pass=$text", $pass->viewerUrl());
        $this->assertSame("consolepass.pass.$text", $pass->subProtocol());
        $this->assertSame(['url' => $pass->url(), 'password' => null], $pass->rfbParameters());
        $this->assertSame(
            ['url', 'viewerUrl', 'subProtocol', 'reference', 'expiresAt'],
            array_keys($pass->toArray()),
        );
        $this->assertSame($pass->viewerUrl(), $pass->toArray()['viewerUrl']);
        $this->assertMatchesRegularExpression('/^[0-9a-hjkmnp-tv-z]{10}$/', $pass->reference());
    }

    /** A portal's php.ini may round what json_encode() writes. */
    public function testTheTimesAreExactWhateverPhpRounds(): void
    {
        $issuer = self::issuer(Program::newKey(self::$folder));
        $before = ini_set('serialize_precision', '4');
        try {
            $claims = self::claims($issuer->issue('dc1', 'qemu/101', ['ttl' => 300]));
        } finally {
            ini_set('serialize_precision', (string) $before);
        }

        $this->assertEqualsWithDelta(microtime(true), $claims['iat'], 5.0);
        $this->assertSame(300.0, $claims['exp'] - $claims['iat']);
        $this->assertSame($claims['iat'], $claims['nbf']);
    }

    public function testEachPassIsAnother(): void
    {
        $issuer = self::issuer(Program::newKey(self::$folder));

        $passes = array_map(static fn (): string => $issuer->issue('dc1', 'qemu/101')->url(), range(1, 1000));

        $this->assertCount(1000, array_unique($passes));
    }

    /** The example of RFC 8037, appendix A. */
    public function testTheSignatureIsTheOneOfTheStandard(): void
    {
        $key = self::$folder->file('rfc8037.jwk', json_encode([
            'kty' => 'OKP', 'crv' => 'Ed25519', 'alg' => 'EdDSA', 'kid' => '1',
            'x' => '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
            'd' => 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
        ]));

        $signature = \Consolepass\Internal\PassKey::fromFile($key)
            ->sign('eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc');

        $this->assertSame(
            'hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg',
            \Consolepass\Internal\Base64Url::encode($signature),
        );
    }

    public function testAKeyFileThatIsNoneSaysWhatItShouldBeAndNotWhatItHolds(): void
    {
        $oct = ['kty' => 'oct', 'alg' => 'HS256', 'kid' => '1', 'k' => 'c2hvcnQ'];
        $okp = json_decode((string) file_get_contents(Program::newPair(self::$folder)[0]), true);
        $cases = [
            ['hunter2', 'must be a JWK'],
            [[], 'must be a JWK'],
            [$okp + ['key_ops' => ['hunter2']], 'must be a JWK'],
            [$oct, 'at least 32 bytes'],
            [['k' => 'hunter2='] + $oct, 'k must be base64url'],
            [$oct + ['d' => 'x'], 'type oct has the members'],
            [['alg' => 'none'] + $oct, '"none"'],
            [['alg' => 'HS256'] + $okp, 'accepted are'],
            [['crv' => 'X25519'] + $okp, '"X25519"'],
            [['x' => 'c2hvcnQ'] + $okp, 'x must hold 32 bytes'],
            [['d' => 'c2hvcnQ'] + $okp, 'd must hold 32 bytes'],
            [['d' => $okp['x']] + $okp, 'x and d are no pair'],
            [array_diff_key($okp, ['d' => '']), 'public half'],
        ];
        foreach ($cases as $index => [$jwk, $expected]) {
            $path = self::$folder->file("$index.jwk", is_string($jwk) ? $jwk : json_encode($jwk));
            try {
                self::issuer($path);
                $this->fail("$expected was expected");
            } catch (Exception\InvalidArgument $error) {
                $this->assertStringContainsString($expected, $error->getMessage());
                $this->assertStringStartsWith("passKeyFile: \"$path\": ", $error->getMessage());
                foreach (['hunter2', 'c2hvcnQ', $okp['d']] as $secret) {
                    $this->assertStringNotContainsString($secret, "$error");
                }
            }
        }
        foreach (['/nonexistent/pass.jwk' => 'No such file', self::$folder->path => 'folder'] as $path => $reason) {
            try {
                self::issuer($path);
                $this->fail("$path is no key");
            } catch (Exception\InvalidArgument $error) {
                $this->assertStringContainsString($path, $error->getMessage());
                $this->assertStringContainsString($reason, $error->getMessage());
            }
        }
    }

    /** PHP's own way to open files takes these for more than files. */
    public function testAKeyIsReadFromAFileAndNowhereElse(): void
    {
        $text = (string) file_get_contents(Program::newKey(self::$folder));
        $file = self::$folder->file('real.jwk', $text);
        $encoded = base64_encode($text);
        $addresses = ["data://text/plain;base64,$encoded", "data:text/plain;base64,$encoded", "DATA:text/plain;base64,$encoded",
            "data:,$text", "file://$file", "FILE://$file", "php://filter/resource=$file", 'php://stdin', "glob://$file",
            "compress.zlib://$file", "phar://$file/x", 'http://127.0.0.1:1/hunter2', 'https://u:hunter2@127.0.0.1:1/'];
        foreach ($addresses as $address) {
            try {
                self::issuer($address);
                $this->fail("$address was read");
            } catch (Exception\InvalidArgument $error) {
                $this->assertStringStartsWith('passKeyFile: "…": No such file or directory', $error->getMessage(), $address);
            }
        }
    }

    public function testBothOptionsAreNeeded(): void
    {
        foreach ([[], ['publicUrl' => 'https://a.example'], ['passKeyFile' => 'x']] as $options) {
            try {
                new Issuer($options);
                $this->fail('an option is missing');
            } catch (Exception\InvalidArgument $error) {
                $missing = isset($options['publicUrl']) ? 'passKeyFile' : 'publicUrl';
                $this->assertSame("issuer: option \"$missing\" is missing", $error->getMessage());
            }
        }
    }

    private static function issuer(string $keyFile, string $publicUrl = RelayProgram::PUBLIC_URL): Issuer
    {
        return new Issuer(['publicUrl' => $publicUrl, 'passKeyFile' => $keyFile]);
    }

    /** @return array<string, mixed> */
    private static function claims(Pass $pass): array
    {
        $parts = explode('.', $pass->url());
        return json_decode((string) base64_decode(strtr($parts[count($parts) - 2], '-_', '+/')), true, 4, JSON_THROW_ON_ERROR);
    }
}
