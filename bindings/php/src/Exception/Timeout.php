<?php

declare(strict_types=1);

namespace Consolepass\Exception;

/** The hypervisor did not answer in time: try again. */
final class Timeout extends ConsolepassException
{
}
