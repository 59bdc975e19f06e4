<?php

declare(strict_types=1);

namespace Consolepass\Tests;

use Consolepass\ErrorCode;
use Consolepass\Tests\Support\Browser;
use Consolepass\Tests\Support\Folder;
use Consolepass\Tests\Support\Guide;
use Consolepass\Tests\Support\Installed;
use Consolepass\Tests\Support\Process;
use Consolepass\Tests\Support\Program;
use Consolepass\Tests\Support\RelayProgram;
use PHPUnit\Framework\TestCase;

/** The example portal, as it stands, under PHP's own web server; and its README, as it stands but for the ports. */
final class ExampleTest extends TestCase
{
    private Folder $folder;
    private string $portal = '';
    private Process $web;

    protected function setUp(): void
    {
        $this->folder = new Folder();
    }

    public function testAClickOpensAConsoleAndSomebodyElsesMachineStaysClosed(): void
    {
        $key = Program::newKey($this->folder);
        $relay = new RelayProgram($this->folder, $key, RelayProgram::ORIGIN);
        $this->serve($key, RelayProgram::ORIGIN);

        [$status, $list] = $this->ask('GET', '/');
        $this->assertSame(200, $status);
        $this->assertStringContainsString('action="/console/qemu/101"', $list);
        $this->assertSame(403, $this->ask('POST', '/console/qemu/999')[0]);
        $this->assertSame(404, $this->ask('GET', '/console/qemu/101')[0]);
        $this->assertSame(404, $this->ask('GET', '/nothing')[0]);

        [$status, , $location] = $this->ask('POST', '/console/qemu/101');
        $this->assertSame(303, $status);
        $this->assertStringStartsWith(RelayProgram::ORIGIN . '/#pass=', $location);
        $relay->browser(str_replace('/#pass=', '/ws?pass=', $location))->logIn();
        $this->assertStringContainsString('user="customer-42"', $relay->log());
    }

    public function testAFailureIsInTheLogAndTheCustomerReadsItsSentence(): void
    {
        $this->serve('/nonexistent/pass.jwk', RelayProgram::ORIGIN);

        [$status, $body] = $this->ask('POST', '/console/qemu/101');

        $this->assertSame(502, $status);
        $this->assertStringContainsString(ErrorCode::InvalidArgument->sentence(), $body);
        $this->assertStringNotContainsString('nonexistent', $body);
        $this->web->line('invalid_argument: passKeyFile: "/nonexistent/pass.jwk"');
    }

    public function testItsReadmeLeadsToAPictureOfEachMachine(): void
    {
        $example = dirname(__DIR__, 3) . '/examples/php';
        [$hypervisor, $relay, $web] = $addresses = ['127.0.0.1:8006', '127.0.0.1:8700', '127.0.0.1:8080'];
        $places = Guide::freePorts(...$addresses);
        $portal = new Installed();
        $portal->shell('composer require consolepass/consolepass');
        copy("$example/index.php", $portal->path('index.php'));
        $readme = new Guide("$example/README.md", $portal, $places);
        (new Guide(dirname(__DIR__) . '/README.md', $portal, $places))->write('consolepass.toml', 'toml', '[relay]', $hypervisor, $relay);

        $readme->run('--new-key');
        $emulator = $readme->start('emulate proxmox', $hypervisor);
        $emulator->line('ca.pem');
        $running = $readme->start('relay --config');
        $running->line('relay started');
        // The relay of that file is not where the page looks for it by itself, as its port is a free one here.
        $this->web = new Process(
            ['/bin/sh', '-c', $readme->block('sh', 'php -S', $web)],
            ['RELAY_PUBLIC_URL' => "http://$places[$relay]"] + $portal->environment,
            $portal->path(),
            group: true,
        );
        $this->web->line('started');
        $this->portal = "http://$places[$web]";
        preg_match_all('#action="([^"]+)"#', $this->ask('GET', '/')[1], $buttons);
        $this->assertCount(2, $buttons[1]);
        foreach ($buttons[1] as $button) {
            $browser = Browser::atANewRelay($places[$relay], fn (): string => $this->ask('POST', $button)[2]);
            $this->assertGreaterThan(1, $browser->colours(), $button);
        }
        $this->assertSame([], $readme->unused());
    }

    private function serve(string $keyFile, string $publicUrl): void
    {
        $example = dirname(__DIR__, 3) . '/examples/php';
        $this->web = new Process(
            [PHP_BINARY, '-S', '127.0.0.1:0', 'index.php'],
            ['PASS_KEY_FILE' => $keyFile, 'RELAY_PUBLIC_URL' => $publicUrl],
            $example,
        );
        preg_match('#http://127\.0\.0\.1:\d+#', $this->web->line('started'), $found);
        $this->portal = $found[0];
    }

    /** @return array{int, string, string} status, body and where it sends the browser */
    private function ask(string $method, string $path): array
    {
        $context = stream_context_create(['http' => ['method' => $method, 'follow_location' => 0, 'ignore_errors' => true]]);
        $body = (string) file_get_contents($this->portal . $path, false, $context);
        $location = preg_grep('/^Location: /', $http_response_header) ?: [];
        return [(int) explode(' ', $http_response_header[0])[1], $body, substr((string) current($location), strlen('Location: '))];
    }
}
