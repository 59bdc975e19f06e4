<?php

declare(strict_types=1);

namespace Consolepass\Exception;

/** The account of the portal cannot log in: look at its credentials. */
class AuthFailed extends ConsolepassException
{
}
