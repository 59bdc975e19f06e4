<?php

declare(strict_types=1);

namespace Consolepass\Exception;

/** The relay cannot listen at its address. */
final class ListenFailed extends ConsolepassException
{
}
