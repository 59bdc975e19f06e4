<?php

declare(strict_types=1);

namespace Consolepass\Tests;

use Consolepass\Console;
use Consolepass\ErrorCode;
use Consolepass\Exception;
use Consolepass\Proxmox;
use Consolepass\Tests\Support\Hypervisor;
use Consolepass\Vnc;
use PHPUnit\Framework\TestCase;

final class ProxmoxTest extends TestCase
{
    private Hypervisor $hypervisor;

    protected function setUp(): void
    {
        $this->hypervisor = Hypervisor::shared();
    }

    /**
     * @testWith [{"tokenId": "portal@pve!console", "tokenSecret": "8f2a6c1e-5b1d-4f0e-9c57-1f0c2d3e4b5a"}, "Authorization"]
     *           [{"username": "portal@pve", "password": "correct horse %&+#"}, "Cookie"]
     */
    public function testAConsoleIsOpenedByTokenAndByPassword(array $account, string $header): void
    {
        $console = (new Proxmox($account + $this->hypervisor->place()))->open('qemu/101');

        $this->assertSame('pve1/qemu/101', $console->machine());
        $this->assertSame('vnc', $console->kind());
        $this->assertStringStartsWith("wss://{$this->hypervisor->address}/api2/json/nodes/pve1/qemu/101/", $console->websocketUrl());
        $this->assertSame(8, strlen($console->password()));
        $this->assertSame($this->hypervisor->address, $console->address());
        $this->assertSame([$header], array_map('ucfirst', array_keys($console->headers())));
        $this->assertSame(['url' => $console->websocketUrl(), 'password' => $console->password()], $console->rfbParameters());
        $left = $console->expiresAt()->getTimestamp() - time();
        $this->assertTrue($left > 0 && $left <= 40, "$left seconds are left");
    }

    /** In errors of every kind, for the caller reads them all. */
    public function testErrorsNameOptionsAsTheyAreHere(): void
    {
        $place = $this->hypervisor->place();
        try {
            (new Proxmox(['tokenId' => 'a@pve!b', 'tokenSecret' => 'x'] + $place))->open('qemu/101');
            $this->fail('the token is wrong');
        } catch (Exception\AuthFailed $error) {
            $this->assertStringContainsString('tokenId', $error->hint);
            $this->assertStringNotContainsString('token_', $error->hint);
        }
        try {
            new Proxmox(['loginTicket' => 'PVE:!tfa!%7B%7D:65E05E9A::x', 'username' => 'a@pve'] + $place);
            $this->fail('half a login is none');
        } catch (Exception\TfaRequired $error) {
            $this->assertStringContainsString('the loginTicket of', $error->getMessage());
        }
    }

    public function testALinkOfTheHypervisorsOwnPageIsMadeAndAnotherPageMustBeWanted(): void
    {
        $console = (new Proxmox($this->hypervisor->options()))->open('qemu/101');
        $own = "https://{$this->hypervisor->address}/novnc/vnc.html";

        $link = $console->novncUrl($own, ['version' => '1.3', 'viewOnly' => true]);

        $this->assertStringStartsWith("$own#autoconnect=1&host=127.0.0.1", $link);
        $this->assertStringEndsWith('&view_only=1', $link);
        try {
            $console->novncUrl('https://elsewhere.example/vnc.html');
            $this->fail('a foreign page sees the ticket');
        } catch (Exception\InvalidArgument $error) {
            $this->assertStringContainsString('foreignOrigin', $error->hint);
        }
        $this->assertStringStartsWith(
            'https://elsewhere.example/vnc.html#',
            $console->novncUrl('https://elsewhere.example/vnc.html', ['foreignOrigin' => true]),
        );
    }

    /** Each failure is of the class that a caller would catch, and carries what is needed to mend it. */
    public function testAFailureHasItsClassItsCodeAndItsCure(): void
    {
        $good = $this->hypervisor->options();
        $cases = [
            [['tokenSecret' => '00000000-0000-0000-0000-000000000000'] + $good, 'qemu/101', Exception\AuthFailed::class, 'auth_failed'],
            [$good, 'qemu/999', Exception\MachineNotFound::class, 'machine_not_found'],
            [$good, 'kvm/101', Exception\InvalidArgument::class, 'invalid_argument'],
            [['host' => '127.0.0.1:1'] + $good, 'qemu/101', Exception\Unreachable::class, 'unreachable'],
            [['fingerprint' => str_repeat('AB:', 31) . 'AB'] + $good, 'qemu/101', Exception\TlsUntrusted::class, 'tls_untrusted'],
        ];
        foreach ($cases as [$options, $machine, $class, $code]) {
            try {
                (new Proxmox($options))->open($machine);
                $this->fail("$code was expected");
            } catch (Exception\ConsolepassException $error) {
                $this->assertInstanceOf($class, $error);
                $this->assertSame([$code, ErrorCode::from($code)->number()], [$error->errorCode->value, $error->getCode()]);
                $this->assertSame($error->errorCode->isRetryable(), $error->retryable);
                $this->assertNotSame('', $error->hint);
                $this->assertSame($error->errorCode->sentence(), $error->sentence());
                $this->assertSame($code === 'auth_failed' ? 401 : null, $code === 'auth_failed' ? $error->httpStatus : null);
                $this->assertSame($code === 'tls_untrusted' ? $this->hypervisor->fingerprint : null, $error->fingerprint);
            }
        }
    }

    public function testATimeoutIsKept(): void
    {
        $silent = stream_socket_server('tcp://127.0.0.1:0');
        $options = ['host' => stream_socket_get_name($silent, false)] + $this->hypervisor->options();
        $begin = microtime(true);

        try {
            (new Proxmox($options))->open('qemu/101', 'vnc', 0.2);
            $this->fail('nobody answered');
        } catch (Exception\Timeout $error) {
            $this->assertTrue($error->retryable);
            $this->assertLessThan(2.0, microtime(true) - $begin);
        }
    }

    public function testAnUnknownOptionIsNamedAsPhpSpellsThem(): void
    {
        foreach (['hosts' => 'hosts', 'token_id' => 'token_id', 0 => '0'] as $name => $shown) {
            try {
                new Proxmox([$name => 'x']);
                $this->fail("$name is no option");
            } catch (Exception\InvalidArgument $error) {
                $this->assertStringStartsWith("proxmox: unknown option \"$shown\"; the options are host, tokenId,", $error->getMessage());
            }
        }
        $this->expectExceptionMessage('option "tokenSecret" is missing');
        new Proxmox(['host' => 'pve', 'tokenId' => 'a@b!c']);
    }

    public function testAPlainRfbServerNeedsNoTicket(): void
    {
        $console = (new Vnc(['host' => '127.0.0.1:5900', 'password' => 'hunter2']))->open('desk');

        $this->assertSame([null, 'hunter2', []], [$console->websocketUrl(), $console->password(), $console->headers()]);
    }

    public function testAConsoleOutlivesItsBackendAndIsClosedOnce(): void
    {
        $console = (new Proxmox($this->hypervisor->options()))->open('qemu/101');
        gc_collect_cycles();
        $this->assertSame('pve1/qemu/101', $console->machine());

        $console->close();
        $console->close();

        foreach (['machine', 'websocketUrl', 'password', 'headers', 'expiresAt', 'rfbParameters', 'jsonSerialize'] as $method) {
            try {
                $console->$method();
                $this->fail("$method of a closed console");
            } catch (Exception\Closed $error) {
                $this->assertSame(ErrorCode::Closed, $error->errorCode);
            }
        }
        $this->assertStringContainsString('closed', print_r($console, true));
    }
}
