<?php

declare(strict_types=1);

namespace Consolepass\Tests;

use Consolepass\Event;
use Consolepass\Exception;
use Consolepass\Issuer;
use Consolepass\Log;
use Consolepass\Proxmox;
use Consolepass\Relay;
use Consolepass\Tests\Support\Browser;
use Consolepass\Tests\Support\Folder;
use Consolepass\Tests\Support\Hypervisor;
use Consolepass\Tests\Support\Process;
use Consolepass\Tests\Support\Program;
use Consolepass\Tests\Support\Wait;
use PHPUnit\Framework\TestCase;

/** What should be known and is no failure arrives in the portal's log. */
final class LogTest extends TestCase
{
    /** @var list<array{string, string, array<string, string>}> */
    private array $lines = [];

    private Folder $folder;

    protected function setUp(): void
    {
        $this->folder = new Folder();
    }

    protected function tearDown(): void
    {
        // Back to what is said aloud without anybody's wish.
        Log::to(static fn () => null, 'error');
    }

    public function testACertificateThatIsNotCheckedIsAWarning(): void
    {
        $this->listen('warning');
        $options = ['insecure' => true] + Hypervisor::shared()->options();
        unset($options['fingerprint']);

        (new Proxmox($options))->open('qemu/101');

        $this->assertContains('warning', array_column($this->lines, 0));
        $this->assertStringContainsString('insecure', json_encode($this->lines, JSON_THROW_ON_ERROR));
        $this->assertStringNotContainsString(Hypervisor::TOKEN_SECRET, json_encode($this->lines, JSON_THROW_ON_ERROR));
    }

    public function testTheWayOfAConsoleIsTold(): void
    {
        $this->listen('info');
        $relay = new Relay(
            ['dc1' => new Proxmox(Hypervisor::shared()->options())],
            ['publicUrl' => 'https://a.example', 'listen' => '127.0.0.1:0'],
        );
        $relay->start();
        $pass = $relay->issue('dc1', 'qemu/101', ['user' => '42']);
        (new Browser((string) $relay->address(), $pass->url(), 'https://a.example'))->logIn();

        Wait::until('the end of the console', function () use ($relay): ?bool {
            $relay->nextEvent(0.2);
            return in_array('console ended', array_column($this->lines, 1), true) ? true : null;
        });
        $messages = array_column($this->lines, 2, 1);
        $this->assertSame($pass->reference(), $messages['pass taken']['reference']);
        $this->assertSame('closed', $messages['console ended']['code']);
        $this->assertArrayHasKey('relay started', $messages);
        $this->assertStringNotContainsString(substr((string) strrchr($pass->url(), '='), 1), json_encode($this->lines, JSON_THROW_ON_ERROR));
    }

    public function testWhereAnOptionIsSpokenOfItIsSpelledAsHere(): void
    {
        $this->listen('info');
        $marks = $this->folder->file('marks_dir');
        mkdir($marks);
        $relay = new Relay(['dc1' => new Proxmox(Hypervisor::shared()->options())], [
            'publicUrl' => 'https://a.example',
            'listen' => '127.0.0.1:0',
            'passKeyFile' => Program::newKey($this->folder),
            'marksDir' => $marks,
        ]);
        $relay->start();
        $pass = $relay->issue('dc1', 'qemu/101', ['user' => 'public_url']);
        foreach ([...(array) glob("$marks/*"), ...(array) glob("$marks/.*")] as $entry) {
            is_file($entry) && unlink($entry);
        }
        rmdir($marks);

        (new Browser((string) $relay->address(), $pass->url(), 'https://a.example'))->refusal();

        $event = Wait::until('the end', static function () use ($relay): ?Event {
            $event = $relay->nextEvent(0.2);
            return $event?->message === null ? null : $event;
        });
        $told = array_column($this->lines, 2, 1);
        $this->assertStringContainsString("marksDir $marks: ", (string) $event->message);
        $this->assertStringContainsString("marksDir $marks: ", $told['console ended']['reason']);
        $this->assertSame('public_url', $told['pass issued']['user'], 'a name of the portal is its own');
    }

    public function testThePassesOfPlainPhpAreToldInTheSameWords(): void
    {
        $this->listen('info');
        $place = ['publicUrl' => 'https://a.example'];
        $relay = new Relay(['dc1' => new Proxmox(Hypervisor::shared()->options())], $place + ['listen' => '127.0.0.1:0']);
        $issuer = new Issuer($place + ['passKeyFile' => Program::newKey($this->folder)]);

        foreach ([$relay, $issuer] as $one) {
            $pass = $one->issue('dc1', 'qemu/101', ['user' => '42']);

            $told = array_values(array_filter($this->lines, static fn (array $line): bool => $line[1] === 'pass issued'));
            $this->assertSame('info', $told[0][0]);
            $this->assertEquals(
                ['reference' => $pass->reference(), 'backend' => 'dc1', 'machine' => 'qemu/101', 'user' => '42'],
                $told[0][2],
            );
            $this->lines = [];
        }
    }

    public function testLessThanWasAskedForIsNotTold(): void
    {
        $this->listen('error');

        (new Issuer(['publicUrl' => 'https://a.example', 'passKeyFile' => Program::newKey($this->folder)]))->issue('dc1', '101');
        new Proxmox(['insecure' => true, 'host' => 'pve', 'tokenId' => 'a@b!c', 'tokenSecret' => 'x']);

        $this->assertSame([], $this->lines);
        $this->expectException(Exception\InvalidArgument::class);
        Log::to(static fn () => null, 'loud');
    }

    public function testAReceiverMayUseThePackageAndMayFail(): void
    {
        $issuer = new Issuer(['publicUrl' => 'https://a.example', 'passKeyFile' => Program::newKey($this->folder)]);
        $backend = new Proxmox(Hypervisor::shared()->options());
        $seen = 0;
        Log::to(static function () use ($backend, $issuer, &$seen): void {
            if ($seen++ === 0) {
                $issuer->issue('dc1', '101');
                $backend->open('qemu/101');
                throw new \DomainException('the disk is full');
            }
        });
        try {
            $issuer->issue('dc1', '101');
            $this->fail('the failure of a receiver is not hidden');
        } catch (\DomainException) {
            $this->assertGreaterThan(1, $seen);
        }
        $this->assertSame('pve1/qemu/101', $backend->open('qemu/101')->machine());
    }

    public function testAForkedChildHasLinesOfItsOwn(): void
    {
        $this->listen('warning');
        new Proxmox(Hypervisor::shared()->options());
        $report = $this->folder->file('report');
        $child = pcntl_fork();
        if ($child === 0) {
            new Proxmox(['insecure' => true, 'host' => 'pve', 'tokenId' => 'a@b!c', 'tokenSecret' => 'x']);
            file_put_contents($report, json_encode($this->lines));
            posix_kill((int) getmypid(), SIGKILL);
        }
        Wait::until('the child', static fn (): ?bool => pcntl_waitpid($child, $status, WNOHANG) === $child ? true : null);

        $this->assertStringContainsString('insecure', (string) @file_get_contents($report));
        $this->assertSame([], $this->lines);
    }

    public function testWithoutAReceiverWarningsAreInPhpsOwnLog(): void
    {
        $autoload = dirname(__DIR__) . '/autoload.php';
        $program = $this->folder->file('program.php', "<?php require '$autoload';"
            . "new Consolepass\\Proxmox(['insecure' => true, 'host' => 'pve', 'tokenId' => 'a@b!c', 'tokenSecret' => 'hunter2']);");
        $log = $this->folder->file('php.log');

        Process::run([PHP_BINARY, '-d', 'log_errors=1', '-d', "error_log=$log", $program]);

        $this->assertMatchesRegularExpression('/consolepass: warning: .*insecure/', (string) file_get_contents($log));
        $this->assertStringNotContainsString('hunter2', (string) file_get_contents($log));
    }

    private function listen(string $level): void
    {
        Log::to(function (string $level, string $message, array $fields): void {
            $this->lines[] = [$level, $message, $fields];
        }, $level);
    }
}
