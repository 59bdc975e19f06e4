<?php

declare(strict_types=1);

namespace Consolepass\Exception;

/** A defect of consolepass. */
final class InternalError extends ConsolepassException
{
}
