<?php

declare(strict_types=1);

namespace Consolepass\Exception;

/** The account may not do this: grant it VM.Console on the machine. */
final class PermissionDenied extends ConsolepassException
{
}
