<?php

declare(strict_types=1);

namespace Consolepass\Exception;

/** The machine is off: offer to start it. */
final class MachineNotRunning extends ConsolepassException
{
}
