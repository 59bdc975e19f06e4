<?php

declare(strict_types=1);

namespace Consolepass\Tests;

use Consolepass\Exception\InvalidArgument;
use Consolepass\Issuer;
use Consolepass\Tests\Support\Folder;
use Consolepass\Tests\Support\Process;
use Consolepass\Tests\Support\Program;
use PHPUnit\Framework\TestCase;

/**
 * A key file that cannot be read says why, whatever the portal does with PHP's warnings. Frameworks make exceptions of them, and
 * after that error_get_last() has nothing to tell.
 */
final class KeyFileTest extends TestCase
{
    /** Neither root's nor the one that has made the files: what www-data is to a key that root has made. */
    private const SOMEBODY = 65534;

    private Folder $folder;

    protected function setUp(): void
    {
        $this->folder = new Folder();
    }

    /** @return array<string, array{?\Closure}> */
    public function handlers(): array
    {
        $throw = static fn (int $level, string $message) => throw new \ErrorException($message, 0, $level);
        return [
            'none' => [null],
            'one that knows the @' => [static fn (int $level, string $message): bool
                => (error_reporting() & $level) !== 0 && $throw($level, $message)],
            'one that does not' => [$throw],
            'one that says that it is done' => [static fn (): bool => true],
        ];
    }

    /** One that nobody writes to. */
    private function pipe(): string
    {
        $this->assertTrue(posix_mkfifo($this->folder->file('pipe'), 0600));
        return $this->folder->file('pipe');
    }

    /** @dataProvider handlers */
    public function testTheReasonIsNamed(?\Closure $handler): void
    {
        $key = Program::newKey($this->folder);
        mkdir($this->folder->file('closed'), 0700);
        $within = $this->folder->file('closed/pass.jwk', '{}');
        chmod($this->folder->path, 0711);
        $cases = [
            $this->folder->file('missing.jwk') => 'No such file or directory',
            "$key/pass.jwk" => 'No such file or directory',
            $this->folder->file(str_repeat('x', 300)) => 'File name too long',
            $this->folder->path => 'this is a folder',
            '/dev/zero' => 'it is no regular file',
            $this->pipe() => 'it is no regular file',
            $this->folder->file('large.jwk', str_repeat(' ', 1 << 20) . '{}') => 'it is larger than 1 MiB',
            $key => 'Permission denied',
            $within => 'Permission denied',
        ];
        foreach ($cases as $path => $reason) {
            $error = $this->asSomebody($reason === 'Permission denied', $handler, fn () => $this->refused($path));

            $shown = strlen($path) > 256 ? '"' . substr($path, 0, 256) . '"…' : "\"$path\"";
            $this->assertSame("passKeyFile: $shown: $reason", $error->getMessage());
        }
    }

    public function testWhoMayNotReadItLearnsWhoHasTo(): void
    {
        $key = Program::newKey($this->folder);
        chmod($this->folder->path, 0711);

        $error = $this->asSomebody(true, null, fn () => $this->refused($key));

        $this->assertStringContainsString('chgrp', $error->hint);
        $this->assertStringNotContainsString('chgrp', $this->refused($this->folder->file('missing.jwk'))->hint);
    }

    /** Shared hosting has it often; the file is there, and it is PHP that does not open it. */
    public function testAFileOutsideOfOpenBasedirSaysSo(): void
    {
        $package = dirname(__DIR__);
        $key = Program::newKey($this->folder);
        $program = $this->folder->file('web/program.php', <<<PHP
            <?php
            require '$package/autoload.php';
            set_error_handler(static fn (int \$level, string \$message) => throw new ErrorException(\$message));
            try {
                new Consolepass\\Issuer(['publicUrl' => 'https://a.example', 'passKeyFile' => '$key']);
            } catch (Consolepass\\Exception\\InvalidArgument \$error) {
                echo \$error->getMessage();
            }
            PHP);
        $allowed = "$package:" . dirname($program);

        [, $output] = Process::run([PHP_BINARY, '-d', "open_basedir=$allowed", $program]);

        $this->assertSame("passKeyFile: \"$key\": PHP's open_basedir does not allow it: \"$allowed\"", $output);
    }

    public function testThePortalsHandlerIsBackAfterwards(): void
    {
        $handler = static fn (int $level, string $message) => throw new \ErrorException($message);
        set_error_handler($handler);
        $this->refused($this->folder->file('missing.jwk'));

        $this->assertSame($handler, set_error_handler(null));

        restore_error_handler();
        restore_error_handler();
    }

    private function refused(string $path): InvalidArgument
    {
        try {
            new Issuer(['publicUrl' => 'https://a.example', 'passKeyFile' => $path]);
        } catch (InvalidArgument $error) {
            return $error;
        }
        $this->fail("$path was read");
    }

    /** Calls $call with a portal's handler of errors, and perhaps as another user than the one that has made the files. */
    private function asSomebody(bool $isSomebody, ?\Closure $handler, \Closure $call): InvalidArgument
    {
        // What is loaded later is loaded as that user.
        $this->refused('/nonexistent');
        $me = posix_geteuid();
        // Only root can become another one. Who is none can close files to all but root.
        $closed = $isSomebody && $me !== 0 ? array_filter((array) glob("{$this->folder->path}/[cs]*")) : [];
        array_map(static fn (string $path): bool => chmod($path, 0), $closed);
        set_error_handler($handler);
        try {
            $isSomebody && $me === 0 && posix_seteuid(self::SOMEBODY);
            return $call();
        } finally {
            posix_seteuid($me);
            restore_error_handler();
            array_map(static fn (string $path): bool => chmod($path, 0700), $closed);
        }
    }
}
