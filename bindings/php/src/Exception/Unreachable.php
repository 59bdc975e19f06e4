<?php

declare(strict_types=1);

namespace Consolepass\Exception;

/** The hypervisor cannot be reached: try again, or look at the network. */
final class Unreachable extends ConsolepassException
{
}
