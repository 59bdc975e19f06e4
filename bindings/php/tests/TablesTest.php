<?php

declare(strict_types=1);

namespace Consolepass\Tests;

use Consolepass\ErrorCode;
use Consolepass\Exception\ConsolepassException;
use Consolepass\Internal\Failure;
use Consolepass\Internal\Native;
use Consolepass\Internal\OptionTable;
use Consolepass\Internal\Options;
use Consolepass\Issuer;
use Consolepass\Pass;
use Consolepass\Proxmox;
use Consolepass\Relay;
use Consolepass\Tests\Support\Process;
use Consolepass\Vnc;
use PHPUnit\Framework\TestCase;

/** PHP has every option and every code of the two tables, spelled in its own case, and nothing else. */
final class TablesTest extends TestCase
{
    /** @var array{options: list<array<string, mixed>>, codes: list<array<string, mixed>>} */
    private array $tables;

    protected function setUp(): void
    {
        $file = dirname(__DIR__, 3) . '/tests/tables.json';
        $this->tables = json_decode((string) file_get_contents($file), true, 8, JSON_THROW_ON_ERROR);
        $this->assertNotEmpty($this->tables['options']);
        $this->assertNotEmpty($this->tables['codes']);
    }

    public function testEveryCodeIsHereWithItsNumberItsWordsAndAClass(): void
    {
        $here = array_map(static fn (ErrorCode $code): array => [
            'hint' => $code->hint(),
            'name' => $code->value,
            'number' => $code->number(),
            'retryable' => $code->isRetryable(),
            'sentence' => $code->sentence(),
        ], ErrorCode::cases());

        $spelled = [];
        foreach (array_unique(array_column($this->tables['options'], 'name')) as $name) {
            $spelled[$name] = lcfirst(str_replace('_', '', ucwords($name, '_')));
        }
        $there = array_map(static fn (array $code): array => ['hint' => strtr($code['hint'], $spelled)] + $code, $this->tables['codes']);
        $this->assertEquals($there, $here);
        $this->assertStringEndsWith('to allowedOrigins', ErrorCode::OriginRefused->hint());
        $this->assertStringEndsWith('or raise idleTimeout', ErrorCode::Idle->hint());
        foreach (ErrorCode::cases() as $code) {
            $this->assertSame(str_replace('_', '', ucwords($code->value, '_')), $code->name);
            $this->assertTrue(is_a(Failure::classOf($code), ConsolepassException::class, true));
        }
    }

    public function testEveryOptionIsHereInItsOwnCase(): void
    {
        $there = [];
        foreach ($this->tables['options'] as $row) {
            $kept = array_filter($row, static fn (mixed $value): bool => $value !== null);
            $name = lcfirst(str_replace('_', '', ucwords($row['name'], '_')));
            $there[$row['scope']][$name] = array_intersect_key($kept, ['type' => '', 'min' => '', 'max' => '', 'default' => '']);
            $this->assertSame($row['name'], Options::snakeCase($name));
        }

        $this->assertEquals($there, OptionTable::SCOPES);
    }

    public function testTheWordsOfTheCoreNameOptionsAsTheyAreHere(): void
    {
        foreach (array_unique(array_column($this->tables['options'], 'name')) as $name) {
            $here = lcfirst(str_replace('_', '', ucwords($name, '_')));
            foreach (['%s', 'x: %s: y', 'option "%s" is missing', 'add it to %s.', 'give %s, or (%s)', "%s's"] as $words) {
                $this->assertSame(str_replace('%s', $here, $words), Options::inPhp(str_replace('%s', $name, $words)));
            }
        }
        // What is none, and what is somebody's own value.
        $kept = ['auth_failed', 'my_public_url', 'public_urls', 'PUBLIC_URL', '/srv/marks_dir', 'marks_dir/x', './ca_file', 'ca_file.pem', '',
            'allowed-origins', 'max_sessions_x', 'user: "the public_url of mine"', 'x: "a\\"public_url b"', 'to_allowed_origins', 'view only',
            '"' . str_repeat('\\"ca_file', 100000) . '"'];
        foreach ($kept as $words) {
            $this->assertSame($words, Options::inPhp($words));
        }
        $this->assertSame('marksDir: "/x/marks_dir": no', Options::inPhp('marks_dir: "/x/marks_dir": no'));
    }

    public function testTheFilesThatAreMadeOfTheTablesAreNotStale(): void
    {
        [$status, $output] = Process::run([PHP_BINARY, dirname(__DIR__) . '/tools/tables.php', '--check']);

        $this->assertSame([0, ''], [$status, $output]);
    }

    /** What an editor offers for an array of options is what there is. */
    public function testTheDocumentationOfEachCallNamesEveryOption(): void
    {
        $calls = [
            'proxmox' => [[Proxmox::class, '__construct']],
            'vnc' => [[Vnc::class, '__construct']],
            'relay' => [[Relay::class, '__construct']],
            'issuer' => [[Issuer::class, '__construct']],
            'pass' => [[Issuer::class, 'issue'], [Relay::class, 'issue']],
            'page' => [[Pass::class, 'novncUrl'], [\Consolepass\Console::class, 'novncUrl']],
        ];
        $this->assertSame(array_keys(OptionTable::SCOPES), array_keys($calls));
        foreach ($calls as $scope => $methods) {
            foreach ($methods as $method) {
                $comment = (string) (new \ReflectionMethod(...$method))->getDocComment();
                preg_match_all('/\b([a-zA-Z]+)\??: (?:string|int|bool)/', $comment, $found);
                $this->assertEqualsCanonicalizing(array_keys(OptionTable::SCOPES[$scope]), $found[1], implode('::', $method));
            }
        }
    }

    public function testTheHeaderIsOfTheAbiThatThisPackageNeeds(): void
    {
        $header = (string) file_get_contents(dirname(__DIR__, 3) . '/include/consolepass.ffi.h');

        $this->assertStringContainsString('CPASS_ABI_VERSION = ' . Native::ABI_VERSION . ' ', $header);
        $soname = (new \ReflectionClass(\Consolepass\Internal\Library::class))->getConstant('NAME');
        $this->assertStringContainsString("FFI_LIB \"$soname\"", $header);
    }
}
