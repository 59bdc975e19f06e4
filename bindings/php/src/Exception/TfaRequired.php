<?php

declare(strict_types=1);

namespace Consolepass\Exception;

/** The account asks for a second factor: use an API token. */
final class TfaRequired extends AuthFailed
{
}
