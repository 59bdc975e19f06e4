<?php

declare(strict_types=1);

namespace Consolepass\Exception;

/** The relay or the console has ended. */
final class Closed extends ConsolepassException
{
}
