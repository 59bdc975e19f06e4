<?php

declare(strict_types=1);

namespace Consolepass\Exception;

/** Too many consoles are open: close one, or try again later. */
final class Busy extends ConsolepassException
{
}
