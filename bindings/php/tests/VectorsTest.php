<?php

declare(strict_types=1);

namespace Consolepass\Tests;

use Consolepass\CloudTower;
use Consolepass\Console;
use Consolepass\Exception\ConsolepassException;
use Consolepass\Internal\Options;
use Consolepass\Issuer;
use Consolepass\Pass;
use Consolepass\Proxmox;
use Consolepass\Tests\Support\Folder;
use Consolepass\Tests\Support\Process;
use Consolepass\Tests\Support\Program;
use Consolepass\Tests\Support\Shown;
use PHPUnit\Framework\TestCase;

/** The vectors that every language runs: tests/vectors/README.md says what stands in them. */
final class VectorsTest extends TestCase
{
    /** A folder that lost its files must not pass. */
    private const FEWEST = ['proxmox' => 96, 'links' => 205];

    private Folder $folder;

    protected function setUp(): void
    {
        $this->folder = new Folder();
    }

    public function testThereAreAsManyAsThereWere(): void
    {
        $all = $this->vectors();
        foreach (self::FEWEST as $kind => $fewest) {
            $found = count(array_filter(array_keys($all), static fn (string $name): bool => str_starts_with($name, "$kind-")));
            $this->assertGreaterThanOrEqual($fewest, $found, $kind);
        }
    }

    /** @return array<string, array{string, array<string, mixed>}> */
    public function vectors(): array
    {
        $found = [];
        foreach ((array) glob(dirname(__DIR__, 3) . '/tests/vectors/{links,proxmox}-*.json', GLOB_BRACE) as $file) {
            foreach (json_decode((string) file_get_contents((string) $file), true, 32, JSON_THROW_ON_ERROR) as $vector) {
                $found[basename((string) $file) . ': ' . $vector['name']] = [(string) $file, $vector];
            }
        }
        return $found;
    }

    /**
     * @dataProvider vectors
     * @param array<string, mixed> $vector
     */
    public function testItComesOutAsItSays(string $file, array $vector): void
    {
        $player = null;
        $places = ['{address}' => '', '{port}' => '', '{fingerprint}' => ''];
        if (isset($vector['backend'])) {
            $player = $this->player($file, $vector);
            $says = json_decode($player->line('"address"'), true, 4, JSON_THROW_ON_ERROR);
            $places = [
                '{address}' => $says['address'],
                '{port}' => substr((string) strrchr($says['address'], ':'), 1),
                '{fingerprint}' => $says['fingerprint'] ?? '',
            ];
        }
        $made = [];
        $error = null;
        $result = null;
        try {
            $result = $this->call($vector, $places, $made);
        } catch (ConsolepassException $error) {
            $made[] = $error;
        }

        $this->assertSame(isset($vector['error']), $error !== null, $error === null ? 'it did not fail' : "it failed: {$error->getMessage()}");
        if ($error !== null) {
            $this->assertError(self::filled($vector['error'], $places), $error);
        } else {
            $this->assertResult(self::filled($vector['result'], $places + self::passOf($made)), $result, $places['{address}']);
        }
        $this->assertNothingShown($vector, $made, $result);
        // A backend keeps its connections, and one of them may be the last thing that the player waits for.
        unset($made, $result, $error);
        if ($player !== null && !self::isOpenEnded($vector)) {
            $this->assertSame(0, $player->wait(), $player->output());
        }
    }

    /**
     * Whether the player would end too early, as it does after the last exchange, be that a silence.
     *
     * @param array<string, mixed> $vector
     */
    private static function isOpenEnded(array $vector): bool
    {
        $last = $vector['exchanges'][count($vector['exchanges'] ?? []) - 1] ?? null;
        return $last === null || isset($last['response']['hang']) || ($vector['tls'] ?? '') === 'none';
    }

    /** @param array<string, mixed> $vector */
    private function player(string $file, array $vector): Process
    {
        if (self::isOpenEnded($vector)) {
            $vector['exchanges'][] = ['request' => ['method' => 'GET', 'path' => '/never'], 'response' => ['status' => 200]];
            $file = $this->folder->file('vector.json', json_encode($vector, JSON_THROW_ON_ERROR));
        }
        return new Process(Program::command('emulate', 'script', $file, '--name', $vector['name'], '--json'));
    }

    /**
     * @param array<string, mixed> $vector
     * @param array<string, string> $places
     * @param list<object> $made filled with everything on the way
     */
    private function call(array $vector, array $places, array &$made): mixed
    {
        $options = self::filled($vector['options'] ?? [], $places);
        $call = $vector['call'];
        if (isset($call['cloudtower_direct']) || isset($call['cloudtower_via'])) {
            return CloudTower::{substr((string) key($call), strlen('cloudtower_'))}(...self::inPhp(current($call)));
        }
        if (isset($call['open'])) {
            $options += ['host' => $places['{address}']];
            $trusts = array_intersect_key($options, ['fingerprint' => '', 'ca_file' => '', 'insecure' => '']) !== [];
            if (($vector['tls'] ?? 'pinned') === 'pinned' && !$trusts) {
                $options['fingerprint'] = $places['{fingerprint}'];
            }
            $made[] = $backend = new Proxmox(self::inPhp($options));
            $open = $call['open'];
            $made[] = $console = $backend->open($open['machine'], $open['kind'] ?? 'vnc');
            return self::then($open['then'] ?? null, $console, $places);
        }
        if (isset($vector['pass_key'])) {
            $options['pass_key_file'] = $this->folder->file('pass.jwk', json_encode($vector['pass_key'], JSON_THROW_ON_ERROR));
        }
        $made[] = $issuer = new Issuer(self::inPhp($options));
        $issue = $call['issue'];
        $made[] = $pass = $issuer->issue($issue['backend'], $issue['machine'], self::inPhp($issue['options'] ?? []));
        return self::then($issue['then'], $pass, $places);
    }

    /**
     * @param ?array<string, mixed> $then
     * @param array<string, string> $places
     */
    private static function then(?array $then, Console|Pass $made, array $places): mixed
    {
        if ($then === null) {
            return $made;
        }
        $arguments = self::filled((array) current($then), $places);
        return match (key($then)) {
            'novnc_url' => $made->novncUrl($arguments['page'], self::inPhp($arguments['options'] ?? [])),
            default => $made->{Options::camelCase((string) key($then))}(),
        };
    }

    /** @param array<string, mixed> $expected */
    private function assertError(array $expected, ConsolepassException $error): void
    {
        $said = "{$error->getMessage()} [{$error->hint}]";
        $this->assertSame($expected['code'], $error->errorCode->value, $said);
        foreach (['http_status' => 'httpStatus', 'fingerprint' => 'fingerprint'] as $member => $property) {
            if (isset($expected[$member])) {
                $this->assertSame($expected[$member], $error->$property, $said);
            }
        }
        foreach (['message_contains' => $error->getMessage(), 'hint_contains' => $error->hint] as $member => $text) {
            foreach ($expected[$member] ?? [] as $part) {
                // An option has its PHP name here.
                $isThere = str_contains($text, $part) || str_contains($text, Options::camelCase($part));
                $this->assertTrue($isThere, "$member $part: $said");
            }
        }
    }

    private function assertResult(mixed $expected, mixed $result, string $address): void
    {
        if (!$result instanceof Console) {
            $this->assertSame($expected, $result);
            return;
        }
        $this->assertSame($expected['machine'], $result->machine());
        $this->assertSame($expected['kind'], $result->kind());
        $this->assertSame($expected['websocket_url'], $result->websocketUrl());
        $this->assertSame($expected['password'] ?? null, $result->password());
        $this->assertSame($address, $result->address());
        $lower = static fn (array $headers): array => array_change_key_case($headers);
        $this->assertEquals($lower($expected['headers']), $lower($result->headers()));
        $left = (float) $result->expiresAt()->format('U.u') - microtime(true);
        $this->assertTrue($left > 0 && $left <= $expected['expires_within'], "$left seconds are left");
    }

    /**
     * @param array<string, mixed> $vector
     * @param list<object> $made
     */
    private function assertNothingShown(array $vector, array $made, mixed $result): void
    {
        $secrets = array_intersect_key($vector['options'] ?? [], array_flip(['token_secret', 'password', 'login_ticket', 'csrf_token', 'proxy']));
        $secrets[] = $vector['pass_key']['k'] ?? null;
        $secrets[] = current($vector['call'])['token'] ?? current($vector['call'])['raw_token'] ?? null;
        $secrets[] = is_string($result) ? $result : null;
        foreach ($vector['exchanges'] ?? [] as $exchange) {
            $data = $exchange['response']['json']['data'] ?? [];
            $secrets = [...array_values($secrets), ...array_map(
                static fn (string $name): mixed => is_array($data) ? $data[$name] ?? null : null,
                ['ticket', 'password', 'CSRFPreventionToken'],
            )];
        }
        foreach ($made as $one) {
            $secrets = match (true) {
                $one instanceof Console => [...array_values($secrets), $one->websocketUrl(), $one->password(), self::after('vncticket=', $one->websocketUrl())],
                $one instanceof Pass => [...array_values($secrets), self::after('?pass=', $one->url())],
                default => $secrets,
            };
        }
        // What is shorter would be found in any sentence.
        $secrets = array_filter($secrets, static fn (mixed $secret): bool => is_string($secret) && strlen($secret) >= 8);
        foreach ($made as $one) {
            $shown = Shown::everywhere($one);
            foreach ($secrets as $secret) {
                $this->assertStringNotContainsString($secret, $shown, get_debug_type($one));
            }
        }
    }

    /**
     * @param list<object> $made
     * @return array<string, string>
     */
    private static function passOf(array $made): array
    {
        foreach ($made as $one) {
            if ($one instanceof Pass) {
                return ['{pass}' => self::after('?pass=', $one->url())];
            }
        }
        return [];
    }

    private static function after(string $mark, ?string $text): string
    {
        return substr((string) strstr((string) $text, $mark), strlen($mark));
    }

    /** @param array<string, string> $places */
    private static function filled(mixed $value, array $places): mixed
    {
        return match (true) {
            is_string($value) => strtr($value, $places),
            is_array($value) => array_map(static fn (mixed $item): mixed => self::filled($item, $places), $value),
            default => $value,
        };
    }

    /**
     * @param array<string, mixed> $options
     * @return array<string, mixed>
     */
    private static function inPhp(array $options): array
    {
        return array_combine(array_map(Options::camelCase(...), array_keys($options)), $options);
    }
}
