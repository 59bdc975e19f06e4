<?php

declare(strict_types=1);

namespace Consolepass\Exception;

/** PHP could not load the library; the message says what was tried, and the hint what to do. */
final class LibraryNotLoaded extends Unsupported
{
}
