<?php

declare(strict_types=1);

namespace Consolepass\Exception;

/** There is no such machine. */
final class MachineNotFound extends ConsolepassException
{
}
