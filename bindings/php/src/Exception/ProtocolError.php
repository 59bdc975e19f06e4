<?php

declare(strict_types=1);

namespace Consolepass\Exception;

/** The answer was not understood: something else than a management API may be listening there. */
final class ProtocolError extends ConsolepassException
{
}
