<?php

declare(strict_types=1);

namespace Consolepass\Exception;

/** This cannot be had; the message says what can. */
class Unsupported extends ConsolepassException
{
}
