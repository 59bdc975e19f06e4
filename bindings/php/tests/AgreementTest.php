<?php

declare(strict_types=1);

namespace Consolepass\Tests;

use Consolepass\Exception\ConsolepassException;
use Consolepass\Issuer;
use Consolepass\Tests\Support\Folder;
use Consolepass\Tests\Support\Program;
use PHPUnit\Framework\TestCase;

/**
 * The issuer in plain PHP is a second one, beside the core's. So the same is given to both, here and to `consolepass pass`, and
 * what comes out has to be the same: the claims, the links, and the words of a refusal.
 */
final class AgreementTest extends TestCase
{
    /** Where PHP refuses what the core can bring into its one spelling, and says which spelling to write. */
    private const PHP_ALONE_REFUSES = [
        'https://bücher.example',
    ];

    private static ?Folder $folder = null;
    private static string $key = '';

    public static function setUpBeforeClass(): void
    {
        self::$folder = new Folder();
        self::$key = Program::newKey(self::$folder);
    }

    public static function tearDownAfterClass(): void
    {
        self::$folder = null;
    }

    public function testBothIssueTheSame(): void
    {
        $machines = ['qemu/101', 'lxc/200', 'pve2/qemu/101', 'node/pve1', '101', '0', '0000101', 'qemu/0101', '4294967295', 'web-1',
            'my machine', 'zoë', 'a.b', 'x"y\\z', '3f0c9c1e-5a54-4f1a-9b1a-000000000000'];
        foreach ($machines as $machine) {
            $this->assertSameOutcome(['machine' => $machine]);
        }
        foreach (['1', '300', '007'] as $ttl) {
            $this->assertSameOutcome(['ttl' => $ttl]);
        }
        foreach (['42', 'zoë', ' ', str_repeat('x', 256), "\u{2028}", '/', '"'] as $user) {
            $this->assertSameOutcome(['user' => $user]);
        }
        foreach (['dc1', 'a.b_c-D', str_repeat('x', 64)] as $backend) {
            $this->assertSameOutcome(['backend' => $backend]);
        }
    }

    public function testBothRefuseTheSameWithTheSameWords(): void
    {
        $machines = ['', 'qemu/', 'qemu/abc', 'qemu/-1', 'kvm/101', 'a/b/c/d', 'pve.x/qemu/101', 'node/', 'node/../x', '../qemu/1',
            '99999999999', '4294967296', ' 101 x ', 'qemu/101/', "na\nme", 'qemu/+5', '/qemu/101', "x\u{a0}", "\u{85}x", "a\u{9f}b",
            str_repeat('x', 256), str_repeat('ü', 128), str_repeat('ü', 300) . '/', 'node/-x', 'node/x-', 'node/' . str_repeat('x', 64), 'pve1/kvm/1', '"\\'];
        foreach ($machines as $machine) {
            $this->assertSameOutcome(['machine' => $machine]);
        }
        foreach (['0', '301', '1e3', '', '1.5', ' 1', '99999999999999999999'] as $ttl) {
            $this->assertSameOutcome(['ttl' => $ttl]);
        }
        foreach (['', "a\nb", "a\u{85}b", str_repeat('x', 257)] as $user) {
            $this->assertSameOutcome(['user' => $user]);
        }
        foreach (['', 'a b', 'dc/1', 'dc1ü', str_repeat('x', 65)] as $backend) {
            $this->assertSameOutcome(['backend' => $backend]);
        }
        foreach (['terminal', 'spice', 'guacamole', 'VNC', 'rdp', ''] as $kind) {
            $this->assertSameOutcome(['kind' => $kind]);
        }
    }

    public function testBothReadPublicUrlsTheSame(): void
    {
        $urls = ['https://portal.example.com', 'https://portal.example.com/', 'https://portal.example.com/console',
            'https://Portal.Example.COM:443/console/', 'HTTP://localhost:80', 'http://localhost:8700/a/b///', 'https://a:0443/x',
            'https://a./x', 'https://a\\b', 'http://[::1]:8080/c', 'http://[FE80::0:1]',
            'http://[1:2:3:4:5:6:7:8]', 'http://[0:0:1:0:0:0:1:0]', 'http://[::]', 'http://[::ffff:192.0.2.1]', 'http://[1::]',
            'http://192.0.2.1:8080', 'https://a/b/../c', 'https://a/./b/.', 'https://a/b/..', 'https://a/../../x', 'https://a/%2e%2E/x',
            'https://a/%2E/x', 'https://a/b%2fc', "https://a/!$&'()*+,;=:@~_-.", 'https://a/ü', 'https://a/x"y', 'https://a/<x>',
            'https://a/{x}', 'https://a/`x`', 'https://a/x|y', 'https://a/x^y', 'https://a/x[y]', 'https://a/%20', 'https://xn--bcher-kva.example',
            'https://a_b.example', 'https://a/b\\..\\c', ...self::PHP_ALONE_REFUSES];
        foreach ($urls as $url) {
            $this->assertSameOutcome(['publicUrl' => $url]);
        }
    }

    public function testBothRefuseWhatIsNoPublicUrl(): void
    {
        $urls = ['', 'portal', 'ftp://a', 'https://u:p@a', 'https://u@a/x', 'https://a?x=1', 'https://a/#x', 'https://a?', 'https://a#', '/console',
            ' https://a', 'https://a/b c', "https://a\n.example", 'https://', 'https:///', 'https://:80', 'https://a:99999', 'https://a:x',
            'https://[::1', 'https://[x]', "https://a/\u{a0}", 'javascript:x', 'wss://a', 'https://a:-1', 'https://hunter2:hunter2@a?hunter2',
            'https://@portal.example', 'https://a:', 'https://a:/x', 'https://a:0', 'https:a/b', 'https:////a/b', 'https:\\\\a\\b', 'https://a//b', 'https://a/%', 'https://a/%zz', 'https://a/b%4/c', 'https://0x7f.1', 'https://127.1',
            'https://1.2.3.4.', 'https://a!b.example', 'https://a..example', 'https://*', 'https://a;x', 'https://a.-b', 'https://a-', 'https://a..',
            'https://b%C3%BCcher.example', 'https://pve%41', 'https://' . str_repeat('a', 64), 'https://' . str_repeat('a.', 127) . 'a'];
        foreach ($urls as $url) {
            $this->assertSameOutcome(['publicUrl' => $url]);
        }
    }

    /** @param array<string, string> $change */
    private function assertSameOutcome(array $change): void
    {
        $given = $change + ['publicUrl' => 'https://portal.example.com/console', 'backend' => 'dc1', 'machine' => 'qemu/101'];
        $shown = json_encode($change, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES);

        $core = self::core($given);
        try {
            $php = self::php($given);
        } catch (ConsolepassException $error) {
            $php = ['code' => $error->errorCode->value, 'message' => $error->getMessage()];
        }

        if (in_array($given['publicUrl'], self::PHP_ALONE_REFUSES, true)) {
            $this->assertSame('invalid_argument', $php['code'] ?? null, $shown);
            return;
        }
        $this->assertSame($core, $php, $shown);
        $this->assertStringNotContainsString('hunter2', $php['message'] ?? '');
    }

    /**
     * @param array<string, string> $given
     * @return array<string, mixed>
     */
    private static function core(array $given): array
    {
        $arguments = ['--pass-key-file=' . self::$key];
        foreach ($given as $name => $value) {
            $arguments[] = '--' . strtolower((string) preg_replace('/[A-Z]/', '-$0', $name)) . "=$value";
        }
        $says = Program::json('pass', ...$arguments);
        if (isset($says['error'])) {
            $words = strtr($says['error']['message'], ['public_url' => 'publicUrl', 'pass_key_file' => 'passKeyFile']);
            return ['code' => $says['error']['code'], 'message' => $words];
        }
        return self::taken($says['url'], $says['viewer_url']);
    }

    /**
     * @param array<string, string> $given
     * @return array<string, mixed>
     */
    private static function php(array $given): array
    {
        $issuer = new Issuer(['publicUrl' => $given['publicUrl'], 'passKeyFile' => self::$key]);
        $options = array_intersect_key($given, ['user' => '', 'ttl' => '', 'kind' => '']);
        $pass = $issuer->issue($given['backend'], $given['machine'], $options);
        return self::taken($pass->url(), $pass->viewerUrl());
    }

    /**
     * Everything in a pass that is the same in two of them.
     *
     * @return array<string, mixed>
     */
    private static function taken(string $url, string $viewerUrl): array
    {
        [$place, $pass] = explode('?pass=', $url);
        [$relay, $header, $claims] = explode('.', $pass);
        $decoded = static fn (string $part): array => json_decode((string) base64_decode(strtr($part, '-_', '+/')), true, 4, JSON_THROW_ON_ERROR);
        $claims = $decoded($claims);
        $life = round($claims['exp'] - $claims['iat'], 3);
        unset($claims['iat'], $claims['nbf'], $claims['exp'], $claims['jti']);
        ksort($claims);
        return [$place, str_replace($pass, '', $viewerUrl), $relay, $decoded($header), $claims, $life];
    }
}
