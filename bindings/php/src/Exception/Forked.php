<?php

declare(strict_types=1);

namespace Consolepass\Exception;

/** The relay belongs to the process that started it, and this is another: start one here, after the fork. */
final class Forked extends ConsolepassException
{
}
