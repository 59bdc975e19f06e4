<?php

declare(strict_types=1);

namespace Consolepass\Tests;

use Consolepass\ErrorCode;
use Consolepass\Event;
use Consolepass\Exception;
use Consolepass\Issuer;
use Consolepass\Pass;
use Consolepass\Proxmox;
use Consolepass\Relay;
use Consolepass\Tests\Support\Browser;
use Consolepass\Tests\Support\Folder;
use Consolepass\Tests\Support\Hypervisor;
use Consolepass\Tests\Support\Program;
use Consolepass\Tests\Support\Wait;
use PHPUnit\Framework\TestCase;

/** A relay in a PHP process of the command line. */
final class RelayTest extends TestCase
{
    private const ORIGIN = 'https://portal.example.com';

    private Relay $relay;

    protected function setUp(): void
    {
        $backend = new Proxmox(Hypervisor::shared()->options());
        $this->relay = new Relay(['dc1' => $backend], self::options());
    }

    protected function tearDown(): void
    {
        unset($this->relay);
    }

    public function testAPassOpensAConsoleOnceAndEveryStepIsAnEvent(): void
    {
        $this->relay->start();
        $pass = $this->relay->issue('dc1', 'qemu/101', ['user' => '42', 'ttl' => 30]);

        $browser = $this->browser($pass);
        [$width, $height] = $browser->logIn();
        $second = $this->browser($pass);

        $this->assertTrue($width > 0 && $height > 0);
        $this->assertSame(1, $this->relay->sessionCount());
        $this->assertStringStartsWith(ErrorCode::PassUsed->sentence(), $second->refusal());
        $events = $this->events('taken', 'connected', 'ended');
        [$taken, $connected, $ended] = [$events['taken'], $events['connected'], $events['ended']];
        $this->assertSame([$pass->reference(), 'dc1', 'qemu/101', '42'], [
            $taken->reference, $taken->backend, $taken->machine, $taken->user,
        ]);
        $this->assertSame($pass->reference(), $connected->reference);
        $this->assertSame(ErrorCode::PassUsed, $ended->errorCode);
        $this->assertEqualsWithDelta(microtime(true), (float) $taken->at->format('U.u'), 10.0);

        $this->relay->stop();
        $this->assertSame(4000 + ErrorCode::ShuttingDown->number(), $browser->end()[0]);
    }

    public function testTheLinksOfAPassAreTheRelaysOwn(): void
    {
        $pass = $this->relay->issue('dc1', 'qemu/101');

        $this->assertStringStartsWith('wss://portal.example.com/console/ws?pass=', $pass->url());
        $this->assertStringStartsWith('https://portal.example.com/console/#pass=', $pass->viewerUrl());
        $this->assertStringStartsWith('consolepass.pass.', $pass->subProtocol());
        $this->assertStringStartsWith(
            'https://portal.example.com/novnc/vnc.html#autoconnect=1&host=portal.example.com&port=443&encrypt=1&path=console%2Fws',
            $pass->novncUrl('https://portal.example.com/novnc/vnc.html'),
        );
        $this->assertEqualsWithDelta(microtime(true) + 60, (float) $pass->expiresAt()->format('U.u'), 5.0);
    }

    public function testARevokedConsoleEndsAndARevokedPassIsUseless(): void
    {
        $this->relay->start();
        [$open, $unused] = [$this->relay->issue('dc1', 'qemu/101'), $this->relay->issue('dc1', 'qemu/101')];
        $browser = $this->browser($open);
        $browser->logIn();

        $this->assertTrue($this->relay->revoke($open));
        $this->assertTrue($this->relay->revoke($unused));
        $this->assertFalse($this->relay->revoke($unused));

        $this->assertSame(4000 + ErrorCode::Revoked->number(), $browser->end()[0]);
        $this->assertStringStartsWith(ErrorCode::Revoked->sentence(), $this->browser($unused)->refusal());
    }

    public function testAReferenceThatThePortalHasKeptIsEnough(): void
    {
        $reference = $this->relay->issue('dc1', 'qemu/101')->reference();

        $this->assertTrue($this->relay->revoke($reference));
        $this->assertFalse($this->relay->revoke($reference));
        foreach (['', 'x', "a\0b", 'UPPERCASEX'] as $text) {
            try {
                $this->relay->revoke($text);
                $this->fail("$text is no reference");
            } catch (Exception\InvalidArgument $error) {
                $this->assertStringContainsString('reference', $error->getMessage());
            }
        }
    }

    public function testAnErrorNamesTheConsoleThatItIsAbout(): void
    {
        $folder = new Folder();
        $marks = $folder->file('marks');
        mkdir($marks);
        $options = self::options(['passKeyFile' => Program::newKey($folder), 'marksDir' => $marks]);
        $relay = new Relay(['dc1' => new Proxmox(Hypervisor::shared()->options())], $options);
        $pass = $relay->issue('dc1', 'qemu/101');
        array_map('unlink', array_filter([...(array) glob("$marks/*"), ...(array) glob("$marks/.*")], 'is_file'));
        rmdir($marks);

        try {
            $relay->revoke($pass);
            $this->fail('there is no folder for the mark');
        } catch (Exception\InternalError $error) {
            $this->assertSame($pass->reference(), $error->reference);
        }
        try {
            $relay->issue('dc2', 'qemu/101');
            $this->fail('there is no dc2');
        } catch (Exception\InvalidArgument $error) {
            $this->assertNull($error->reference);
        }
    }

    public function testWhatIsWrongIsNamedBeforeAnythingIsStarted(): void
    {
        $backend = new Proxmox(Hypervisor::shared()->options());
        $cases = [
            'unknown option "public_url"' => [['dc1' => $backend], ['public_url' => self::ORIGIN]],
            'option "publicUrl" is missing' => [['dc1' => $backend], []],
            'listen' => [['dc1' => $backend], self::options(['listen' => 'localhost'])],
            'allowedOrigins' => [['dc1' => $backend], self::options(['allowedOrigins' => ['*']])],
            'maxSessions' => [['dc1' => $backend], self::options(['maxSessions' => 0])],
            'at least one backend' => [[], self::options()],
            'a backend\'s name has' => [['d c' => $backend], self::options()],
            'must be a Consolepass\Proxmox or Consolepass\Vnc, not string' => [['dc1' => 'pve'], self::options()],
        ];
        foreach ($cases as $words => [$backends, $options]) {
            try {
                new Relay($backends, $options);
                $this->fail("$words was expected");
            } catch (Exception\InvalidArgument $error) {
                $this->assertStringContainsString($words, $error->getMessage());
            }
        }
        try {
            $this->relay->issue('dc2', 'qemu/101');
            $this->fail('there is no dc2');
        } catch (Exception\InvalidArgument $error) {
            $this->assertStringContainsString('dc1', $error->getMessage());
        }
    }

    public function testATakenPortIsNamedAndMayBeTriedAgain(): void
    {
        $taken = stream_socket_server('tcp://127.0.0.1:0');
        $address = (string) stream_socket_get_name($taken, false);
        $relay = new Relay(['dc1' => new Proxmox(Hypervisor::shared()->options())], self::options(['listen' => $address]));
        try {
            $relay->start();
            $this->fail('the port is taken');
        } catch (Exception\ListenFailed $error) {
            $this->assertStringContainsString($address, $error->getMessage());
        }
        $this->assertNull($relay->address());
        fclose($taken);

        $relay->start();

        $this->assertSame($address, $relay->address());
        $this->expectExceptionMessage('already started');
        $relay->start();
    }

    /** PHP's processes fork: a relay stays the parent's, and everything else works on both sides. */
    public function testInAForkedChildTheRelayRefusesAndTheRestWorks(): void
    {
        $backend = new Proxmox(Hypervisor::shared()->options());
        $backend->open('qemu/101');
        $this->relay->start();
        $folder = new Folder();
        $report = $folder->file('report');
        $keyFile = Program::newKey($folder);

        $child = pcntl_fork();
        if ($child === 0) {
            $said = [];
            try {
                $this->relay->issue('dc1', 'qemu/101');
            } catch (Exception\Forked $error) {
                $said[] = $error->errorCode->value;
            }
            $said[] = $this->relay->sessionCount();
            $said[] = $backend->open('qemu/101')->machine();
            $said[] = strlen((new Issuer(['publicUrl' => self::ORIGIN, 'passKeyFile' => $keyFile]))->issue('dc1', '101')->reference());
            $own = new Relay(['dc1' => $backend], self::options());
            $own->start();
            (new Browser((string) $own->address(), $own->issue('dc1', 'qemu/101')->url(), self::ORIGIN))->logIn();
            $said[] = 'a relay of its own';
            unset($this->relay, $own);
            file_put_contents($report, json_encode($said));
            // Not by exit(): the test runner's ending is the parent's.
            posix_kill(getmypid(), SIGKILL);
        }
        Wait::until('the child', static fn (): ?bool => pcntl_waitpid($child, $status, WNOHANG) === $child ? true : null);

        $this->assertSame(
            ['forked', 0, 'pve1/qemu/101', 10, 'a relay of its own'],
            json_decode((string) @file_get_contents($report), true),
        );
        $this->browser($this->relay->issue('dc1', 'qemu/101'))->logIn();
    }

    /** @return array<string, mixed> */
    private static function options(array $more = []): array
    {
        return $more + ['publicUrl' => self::ORIGIN . '/console', 'listen' => '127.0.0.1:0'];
    }

    private function browser(Pass $pass): Browser
    {
        return new Browser((string) $this->relay->address(), $pass->url(), self::ORIGIN);
    }

    /** @return array<string, Event> the next event of each kind */
    private function events(string ...$kinds): array
    {
        $found = [];
        Wait::until('events', function () use (&$found, $kinds): ?bool {
            $event = $this->relay->nextEvent(0.5);
            if ($event !== null) {
                $found[$event->what] ??= $event;
            }
            return array_diff($kinds, array_keys($found)) === [] ? true : null;
        });
        return $found;
    }
}
