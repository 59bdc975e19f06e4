<?php

declare(strict_types=1);

namespace Consolepass\Exception;

/** An option or argument is wrong, and named: correct the call. */
final class InvalidArgument extends ConsolepassException
{
}
