<?php

declare(strict_types=1);

namespace Consolepass\Internal;

/** What is wrong with a key, for whoever knows the name of its file. */
final class WrongKey extends \RuntimeException
{
}
