<?php

declare(strict_types=1);

namespace Consolepass;

use Consolepass\Internal\Handle;
use Consolepass\Internal\Milliseconds;
use Consolepass\Internal\Native;
use Consolepass\Internal\NotUnserialized;
use Consolepass\Internal\Options;
use Consolepass\Internal\Text;

/**
 * A hypervisor's management API and the account to use it with.
 *
 * Making one asks nothing of the hypervisor. It may be used by any number of calls, and on both sides of a fork.
 */
abstract class Backend
{
    use NotUnserialized;

    private readonly Handle $handle;

    /** @param array<string, mixed> $options */
    protected function __construct(private readonly string $type, #[\SensitiveParameter] array $options)
    {
        $this->handle = Native::backend($type, Options::check($type, $options));
    }

    /**
     * Opens a console: asks the hypervisor for a ticket, and waits for it. It is for the portal's own process and for operators;
     * customers get a pass.
     *
     * @param string $machine qemu/101, lxc/200, pve2/qemu/101 with its node, node/pve1, or 101
     * @param string $kind vnc
     * @param ?float $timeout how many seconds to wait in all; null leaves it to the option timeout, which counts for each question
     * @throws Exception\ConsolepassException
     */
    public function open(string $machine, string $kind = 'vnc', ?float $timeout = null): Console
    {
        Text::checked('machine', $machine);
        Text::checked('kind', $kind);
        // To the library, 0 is no time of its own; here, it is the shortest.
        $milliseconds = $timeout === null ? 0 : max(1, Milliseconds::of('timeout', $timeout));
        return new Console(Native::open($this->handle, $machine, $kind, $milliseconds));
    }

    /** @internal for a relay, which uses the backend itself */
    public function handle(): Handle
    {
        return $this->handle;
    }

    /** @return array<string, ?string> for PHP, which ends the process if this throws */
    public function __debugInfo(): array
    {
        return ['type' => $this->type ?? null];
    }

    public function __serialize(): array
    {
        throw new \LogicException('a backend is not serialized: it holds the credentials of a hypervisor');
    }
}
