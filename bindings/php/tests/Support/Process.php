<?php

declare(strict_types=1);

namespace Consolepass\Tests\Support;

use RuntimeException;

/** A program that runs beside a test, and ends with it. */
final class Process
{
    /** Far longer than anything takes. */
    public const PATIENCE = 30.0;

    /** @var resource */
    private $process;

    /** @var array<int, resource> */
    private array $pipes = [];

    private string $output = '';

    /**
     * @param list<string> $command
     * @param array<string, string> $environment on top of this process's
     * @param bool $input whether it has an input, which is open until its end
     * @param bool $group whether it is a shell or another program that starts more, which ends with it
     */
    public function __construct(
        array $command,
        array $environment = [],
        ?string $folder = null,
        bool $input = false,
        private readonly bool $group = false,
    ) {
        $command = $group ? ['setsid', ...$command] : $command;
        $streams = [$input ? ['pipe', 'r'] : ['file', '/dev/null', 'r'], ['pipe', 'w'], ['redirect', 1]];
        $process = proc_open($command, $streams, $this->pipes, $folder, $environment + getenv());
        if ($process === false) {
            throw new RuntimeException("cannot run {$command[0]}");
        }
        $this->process = $process;
        stream_set_blocking($this->pipes[1], false);
    }

    /**
     * Runs a program to its end.
     *
     * @param list<string> $command
     * @param array<string, string> $environment
     * @return array{int, string} exit status and output
     */
    public static function run(array $command, array $environment = [], ?string $folder = null): array
    {
        $process = new self($command, $environment, $folder);
        // It has ended, or is about to, when nobody has its output any more.
        while (!feof($process->pipes[1])) {
            [$ready, $none] = [[$process->pipes[1]], null];
            if (stream_select($ready, $none, $none, (int) self::PATIENCE) !== 1) {
                throw new RuntimeException("waited in vain for the end of {$command[0]}: {$process->output}");
            }
            $process->read();
        }
        return [$process->wait(), $process->output];
    }

    /** Waits for a whole line that holds $part, and returns it. */
    public function line(string $part): string
    {
        return Wait::until("a line with $part", function () use ($part): ?string {
            $this->read();
            foreach (array_slice(explode("\n", $this->output), 0, -1) as $line) {
                if (str_contains($line, $part)) {
                    return $line;
                }
            }
            $this->check();
            return null;
        });
    }

    /** Throws if it has ended by itself. */
    public function check(): void
    {
        if (!proc_get_status($this->process)['running']) {
            throw new RuntimeException("it ended and said: {$this->output()}");
        }
    }

    /** Waits until it ends by itself; its exit status. */
    public function wait(): int
    {
        $status = Wait::until('its end', function (): ?array {
            $this->read();
            $status = proc_get_status($this->process);
            return $status['running'] ? null : $status;
        });
        $this->read();
        return $status['exitcode'];
    }

    public function output(): string
    {
        $this->read();
        return $this->output;
    }

    public function id(): int
    {
        return proc_get_status($this->process)['pid'];
    }

    public function signal(int $signal): void
    {
        // A minus names all that belong to it.
        posix_kill($this->group ? -$this->id() : $this->id(), $signal);
    }

    public function __destruct()
    {
        if (proc_get_status($this->process)['running']) {
            $this->signal(SIGTERM);
            $end = microtime(true) + 5;
            while (proc_get_status($this->process)['running']) {
                if (microtime(true) > $end) {
                    $this->signal(SIGKILL);
                }
                usleep(2000);
            }
        }
        proc_close($this->process);
    }

    private function read(): void
    {
        $this->output .= stream_get_contents($this->pipes[1]);
    }
}
