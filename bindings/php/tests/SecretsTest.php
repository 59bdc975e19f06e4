<?php

declare(strict_types=1);

namespace Consolepass\Tests;

use Consolepass\Exception\ConsolepassException;
use Consolepass\Internal\Native;
use Consolepass\Issuer;
use Consolepass\Proxmox;
use Consolepass\Relay;
use Consolepass\Tests\Support\Folder;
use Consolepass\Tests\Support\Hypervisor;
use Consolepass\Tests\Support\Process;
use Consolepass\Tests\Support\Program;
use Consolepass\Tests\Support\Shown;
use Consolepass\Vnc;
use PHPUnit\Framework\TestCase;

/** Nothing that PHP shows of our objects and errors holds a secret, however careless the portal's php.ini is. */
final class SecretsTest extends TestCase
{
    private Folder $folder;

    protected function setUp(): void
    {
        $this->folder = new Folder();
        // Else the traces are empty, and this test sees nothing.
        $this->assertSame('0', ini_get('zend.exception_ignore_args'));
    }

    public function testNoObjectShowsWhatItHolds(): void
    {
        $hypervisor = Hypervisor::shared();
        $token = new Proxmox($hypervisor->options());
        $password = new Proxmox(
            ['username' => Hypervisor::USERNAME, 'password' => Hypervisor::PASSWORD] + $hypervisor->place(),
        );
        $console = $password->open('qemu/101');
        $shared = Program::newKey($this->folder);
        [$private] = Program::newPair($this->folder);
        $issuers = array_map(static fn (string $key): Issuer => new Issuer(
            ['publicUrl' => 'https://portal.example.com', 'passKeyFile' => $key],
        ), [$shared, $private]);
        $pass = $issuers[0]->issue('dc1', 'qemu/101', ['user' => '42']);
        $relay = new Relay(['dc1' => $token], ['publicUrl' => 'https://portal.example.com', 'listen' => '127.0.0.1:0']);
        $relayPass = $relay->issue('dc1', 'qemu/101');

        $secrets = [
            Hypervisor::TOKEN_SECRET,
            Hypervisor::PASSWORD,
            'hunter2hunter2',
            $console->password(),
            $console->websocketUrl(),
            current($console->headers()),
            self::member($shared, 'k'),
            self::member($private, 'd'),
            self::passOf($pass->url()),
            self::passOf($relayPass->url()),
        ];
        // PHP might show bytes as they are.
        $secrets[] = (string) base64_decode(strtr(self::member($private, 'd'), '-_', '+/'));
        $secrets[] = (string) base64_decode(strtr(self::member($shared, 'k'), '-_', '+/'));
        $vnc = new Vnc(['host' => '127.0.0.1', 'password' => 'hunter2hunter2']);
        $all = [$token, $password, $console, ...$issuers, $pass, $relay, $relayPass, $vnc, $vnc->open('desk')];
        foreach ([...$all, $all, ['nested' => $all]] as $one) {
            foreach (Shown::ways($one) as $way => $shown) {
                foreach ($secrets as $secret) {
                    $this->assertStringNotContainsString($secret, $shown, "$way of " . get_debug_type($one));
                }
            }
        }
    }

    public function testWhatMayBeShownIsShown(): void
    {
        $issuer = new Issuer(['publicUrl' => 'https://portal.example.com', 'passKeyFile' => Program::newKey($this->folder)]);
        $pass = $issuer->issue('dc1', 'qemu/101');
        $console = (new Proxmox(Hypervisor::shared()->options()))->open('qemu/101');

        $this->assertStringContainsString($pass->reference(), print_r($pass, true));
        $this->assertSame($pass->reference(), json_decode((string) json_encode($pass), true)['reference']);
        $this->assertStringContainsString('pve1/qemu/101', print_r($console, true));
        $this->assertSame('vnc', json_decode((string) json_encode($console), true)['kind']);
    }

    public function testNothingIsSerializedOrCopiedThatHoldsASecret(): void
    {
        $backend = new Proxmox(Hypervisor::shared()->options());
        $issuer = new Issuer(['publicUrl' => 'https://portal.example.com', 'passKeyFile' => Program::newKey($this->folder)]);
        $relay = new Relay(['dc1' => $backend], ['publicUrl' => 'https://portal.example.com']);
        foreach ([$backend, $backend->open('qemu/101'), $issuer, $issuer->issue('dc1', '101'), $relay] as $one) {
            try {
                serialize($one);
                $this->fail(get_debug_type($one) . ' was serialized');
            } catch (\LogicException $refused) {
                $this->assertStringContainsString('is not serialized', $refused->getMessage());
            }
        }
        // A copy refers to the same handle or key, which is freed once.
        [$copy, $other] = [clone $backend, clone $issuer];
        unset($backend, $issuer);
        $this->assertSame('pve1/qemu/101', $copy->open('qemu/101')->machine());
        $this->assertNotSame('', $other->issue('dc1', '101')->reference());
    }

    /** Every call that takes a secret fails once, and its error is looked at in full: message, arguments, objects. */
    public function testNoErrorShowsWhatItsCallWasGiven(): void
    {
        $secret = 'hunter2hunter2';
        $place = Hypervisor::shared()->place();
        $pve2 = new \stdClass();
        $pve2->password = $secret;
        $wrongKey = $this->folder->file('wrong.jwk', json_encode(['kty' => 'oct', 'alg' => 'HS512', 'kid' => '1', 'k' => $secret]));
        $backend = new Proxmox(Hypervisor::shared()->options());
        [$console, $closed] = [$backend->open('qemu/101'), $backend->open('qemu/101')];
        $closed->close();
        $issuer = new Issuer(['publicUrl' => 'https://a.example', 'passKeyFile' => Program::newKey($this->folder)]);
        $pass = $issuer->issue('dc1', '101');
        $relay = new Relay(['dc1' => $backend], ['publicUrl' => 'https://a.example']);
        $calls = [
            'an unknown option' => static fn () => new Proxmox(['tokenSecret' => $secret, 'hosts' => 'x']),
            'a wrong type' => static fn () => new Proxmox(['tokenSecret' => [$secret]] + $place),
            'a secret as another option' => static fn () => new Proxmox(['tokenId' => "a@b!c=$secret", 'tokenSecret' => 'x'] + $place),
            'a NUL' => static fn () => new Proxmox(['tokenId' => 'a@b!c', 'tokenSecret' => "$secret\0"] + $place),
            'no UTF-8' => static fn () => new Proxmox(['tokenId' => 'a@b!c', 'tokenSecret' => "$secret\xff"] + $place),
            'the core says no' => static fn () => new Proxmox(['tokenSecret' => $secret] + $place),
            'a wrong password' => static fn () => (new Proxmox(['username' => Hypervisor::USERNAME, 'password' => $secret] + $place))->open('101'),
            'a wrong token' => static fn () => (new Proxmox(['tokenSecret' => $secret, 'tokenId' => 'a@pve!b'] + $place))->open('101'),
            'a VNC password' => static fn () => new Vnc(['password' => $secret, 'host' => '']),
            'credentials' => static fn () => Proxmox::fromCredentials(['password' => $secret, 'nonsense' => 'x']),
            'a token in one' => static fn () => Proxmox::fromCredentials(['host' => 'h', 'apiToken' => "a@b!c=$secret=x"]),
            'no PVE2_API' => static fn () => Proxmox::fromPve2Api($pve2),
            'no PveClient' => static fn () => Proxmox::fromCorsinvest($pve2),
            'a take-over with more' => static fn () => Proxmox::fromPve2Api($pve2, ['password' => $secret]),
            'a wrong key' => static fn () => new Issuer(['publicUrl' => 'https://a.example', 'passKeyFile' => $wrongKey]),
            'a password in a URL' => static fn () => new Issuer(['publicUrl' => "https://u:$secret@a", 'passKeyFile' => $wrongKey]),
            'a token for CloudTower' => static fn () => \Consolepass\CloudTower::direct('http://a', 'x', 'y', $secret),
            'a host with a password' => static fn () => Proxmox::fromCredentials(['host' => "https://u:$secret@h", 'port' => 'x']),
            'a text for verifySsl' => static fn () => Proxmox::fromCredentials(
                ['hostname' => 'h', 'username' => 'a@pve', 'password' => $secret, 'verifySsl' => ['x']],
            ),
            'a secret for verifySsl' => static fn () => Proxmox::fromCredentials(['hostname' => 'h', 'verifySsl' => [$secret]]),
            'a list for a text' => static fn () => new Proxmox(['tokenId' => [$secret]] + $place),
            'a list for a number' => static fn () => new Proxmox(['timeout' => [$secret]] + $place),
            'a list for a boolean' => static fn () => new Proxmox(['insecure' => [$secret]] + $place),
            'a number for a text' => static fn () => new Proxmox(['username' => 2022202220222022] + $place),
            'a map for a list' => static fn () => new Proxmox(['host' => ['x' => $secret]] + $place),
            'a number for a list' => static fn () => new Proxmox(['host' => 2022202220222022] + $place),
            'a list of more than texts' => static fn () => new Proxmox(['host' => ["https://u:$secret@h", 3]] + $place),
            'a number among texts' => static fn () => new Proxmox(['host' => ['h', 2022202220222022]] + $place),
            'a user that is a list' => static fn () => $issuer->issue('dc1', '101', ['user' => [$secret]]),
            'a page with a wrong option' => static fn () => $pass->novncUrl("https://u:$secret@a/vnc.html", ['version' => [$secret]]),
            'a page with a password' => static fn () => $console->novncUrl("https://u:$secret@a/vnc.html", ['viewOnly' => true]),
            'a page with a closed console' => static fn () => $closed->novncUrl("https://u:$secret@a/vnc.html"),
            'options for a backend' => static fn () => new Relay(['dc1' => ['password' => $secret]], ['publicUrl' => 'https://a.example']),
            'a store with a password' => static fn () => new Relay(['dc1' => $backend], ['store' => [$secret], 'publicUrl' => 'https://a']),
            'a pass that is wrong in the relay' => static fn () => $relay->issue('dc1', '101', ['ttl' => [$secret]]),
            'a CloudTower with a password' => static fn () => \Consolepass\CloudTower::via("https://u:$secret@a", 'x', 'y', 'z'),
            'its token in a wrong place' => static fn () => \Consolepass\CloudTower::direct('a', "$secret\0", 'y', 'z'),
            'a machine with a NUL' => static fn () => (new Proxmox(['tokenId' => 'a@b!c', 'tokenSecret' => $secret] + $place))->open("1\0"),
        ];
        foreach ($calls as $name => $call) {
            try {
                $call();
                $this->fail("$name did not fail");
            } catch (ConsolepassException $error) {
                $this->assertStringNotContainsString($secret, Shown::everywhere($error), $name);
                $this->assertStringNotContainsString('2022202220222022', Shown::everywhere($error), $name);
            }
        }
    }

    /** What takes a portal's options or values is in no trace, in whichever function the error is made. */
    public function testEveryParameterForOptionsAndValuesIsSensitive(): void
    {
        $names = ['options', 'values', 'value', 'given', 'credentials', 'login', 'verify', 'host', 'port', 'page', 'backends'];
        $seen = 0;
        foreach ($this->methods() as $method) {
            foreach ($method->getParameters() as $parameter) {
                $isHandles = $method->class === Native::class && $parameter->getName() === 'backends';
                // A private constructor has what was parsed before.
                $isSafe = $isHandles || (string) $parameter->getType() === 'bool' || ($method->isConstructor() && $method->isPrivate());
                if ($isSafe || !in_array($parameter->getName(), $names, true)) {
                    continue;
                }
                $where = "{$method->class}::{$method->name}(\${$parameter->getName()})";
                $this->assertNotSame([], $parameter->getAttributes(\SensitiveParameter::class), $where);
                $seen++;
            }
        }
        $this->assertGreaterThan(40, $seen);
    }

    /** @return iterable<\ReflectionMethod> of all of our classes */
    private function methods(): iterable
    {
        $source = dirname(__DIR__) . '/src/';
        foreach (new \RecursiveIteratorIterator(new \RecursiveDirectoryIterator($source, \FilesystemIterator::SKIP_DOTS)) as $file) {
            $class = 'Consolepass\\' . strtr(substr((string) $file, strlen($source), -strlen('.php')), '/', '\\');
            foreach ((new \ReflectionClass($class))->getMethods() as $method) {
                if ($method->class === $class && $method->isUserDefined()) {
                    yield $method;
                }
            }
        }
    }

    /** A whole program, whose uncaught error PHP prints as it does in development. */
    public function testAnUncaughtErrorPrintsNoSecret(): void
    {
        $autoload = dirname(__DIR__) . '/autoload.php';
        $program = $this->folder->file('program.php', <<<PHP
            <?php
            require '$autoload';
            \$pve = new Consolepass\\Proxmox(['host' => '127.0.0.1:1', 'tokenId' => 'a@b!c', 'tokenSecret' => 'hunter2hunter2']);
            var_dump(\$pve);
            \$pve->open('qemu/101');
            PHP);
        $settings = ['display_errors=1', 'html_errors=0', 'zend.exception_ignore_args=0', 'zend.exception_string_param_max_len=1000'];

        [$status, $output] = Process::run([PHP_BINARY, ...array_merge(...array_map(
            static fn (string $setting): array => ['-d', $setting],
            $settings,
        )), $program]);

        $this->assertSame(255, $status);
        $this->assertStringContainsString('Uncaught Consolepass\Exception\Unreachable: 127.0.0.1:1: connection refused', $output);
        $this->assertStringNotContainsString('hunter2', $output);
    }

    private static function member(string $file, string $name): string
    {
        return json_decode((string) file_get_contents($file), true, 4, JSON_THROW_ON_ERROR)[$name];
    }

    private static function passOf(string $url): string
    {
        return substr((string) strstr($url, '?pass='), 6);
    }
}
