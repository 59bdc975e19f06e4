<?php

declare(strict_types=1);

namespace Consolepass\Exception;

/** A pass is wrong, old, used, revoked, or another relay's: issue a new one. */
final class PassRefused extends ConsolepassException
{
}
