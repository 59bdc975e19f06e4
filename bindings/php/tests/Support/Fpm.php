<?php

declare(strict_types=1);

namespace Consolepass\Tests\Support;

use RuntimeException;

/** A real PHP-FPM with two workers, asked through cgi-fcgi over its unix socket. */
final class Fpm
{
    public const WORKERS = 2;

    private readonly Folder $folder;
    private readonly Process $process;
    private readonly string $socket;

    /**
     * @param array<string, string> $settings of the whole server, such as opcache.preload
     * @param array<string, string> $pool settings of the pool alone
     * @param array<string, string> $environment of the workers
     */
    public function __construct(array $settings = [], array $pool = [], array $environment = [])
    {
        $this->folder = new Folder();
        $this->socket = $this->folder->file('fpm.sock');
        $lines = [
            '[global]',
            'error_log = ' . $this->folder->file('error.log'),
            'daemonize = no',
            '[portal]',
            "listen = {$this->socket}",
            'pm = static',
            'pm.max_children = ' . self::WORKERS,
            'catch_workers_output = yes',
            'php_admin_value[zend.exception_ignore_args] = 0',
        ];
        $isRoot = posix_geteuid() === 0;
        unset($settings['opcache.preload_user']);
        if ($isRoot) {
            // Only for these tests: they may run as root, and their files are readable to nobody else.
            array_push($lines, 'user = root', 'group = root', 'listen.owner = root');
        }
        foreach ($pool as $name => $value) {
            $lines[] = "php_admin_value[$name] = $value";
        }
        foreach ($environment as $name => $value) {
            $lines[] = "env[$name] = \"$value\"";
        }
        $config = $this->folder->file('fpm.conf', implode("\n", $lines) . "\n");
        $command = [self::binary(), '--nodaemonize', '--fpm-config', $config];
        if ($isRoot) {
            $command[] = '--allow-to-run-as-root';
            if (isset($settings['opcache.preload'])) {
                $settings['opcache.preload_user'] = 'root';
            }
        }
        foreach ($settings as $name => $value) {
            array_push($command, '-d', "$name=$value");
        }
        $this->process = new Process($command, $environment);
        Wait::until('PHP-FPM', function (): ?bool {
            if (str_contains((string) @file_get_contents($this->folder->file('error.log')), 'ready to handle connections')) {
                return true;
            }
            $this->process->check();
            return null;
        });
    }

    /**
     * Asks the application for an action.
     *
     * @return array<string, mixed>
     */
    public function ask(string $action, string $script = __DIR__ . '/fpm_portal.php'): array
    {
        return $this->answer(Process::run(['cgi-fcgi', '-bind', '-connect', $this->socket], self::request($action, $script))[1]);
    }

    /**
     * The same without a process for each question.
     *
     * @return array<string, mixed>
     */
    public function askQuickly(string $action): array
    {
        return $this->answer(FastCgi::ask($this->socket, self::request($action, __DIR__ . '/fpm_portal.php')));
    }

    public function master(): int
    {
        return $this->process->id();
    }

    public function log(): string
    {
        return $this->process->output() . file_get_contents($this->folder->file('error.log'));
    }

    /** @return array<string, string> */
    private static function request(string $action, string $script): array
    {
        return [
            'SCRIPT_FILENAME' => $script,
            'REQUEST_METHOD' => 'GET',
            'QUERY_STRING' => "action=$action",
            'REQUEST_URI' => "/?action=$action",
        ];
    }

    /** @return array<string, mixed> */
    private function answer(string $output): array
    {
        $parts = explode("\r\n\r\n", $output, 2);
        $said = json_decode($parts[1] ?? '', true);
        return is_array($said) ? $said : throw new RuntimeException("PHP-FPM said: $output\n{$this->log()}");
    }

    /** Of the same version as the PHP that runs the tests. */
    private static function binary(): string
    {
        foreach (['/usr/sbin', '/usr/local/sbin', dirname(PHP_BINARY)] as $folder) {
            foreach (['php-fpm' . PHP_MAJOR_VERSION . '.' . PHP_MINOR_VERSION, 'php-fpm'] as $name) {
                if (is_executable("$folder/$name")) {
                    return "$folder/$name";
                }
            }
        }
        throw new RuntimeException('PHP-FPM is missing: make system');
    }
}
