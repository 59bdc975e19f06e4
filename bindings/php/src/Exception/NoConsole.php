<?php

declare(strict_types=1);

namespace Consolepass\Exception;

/** The machine has no console of this kind: ask for another kind. */
final class NoConsole extends ConsolepassException
{
}
