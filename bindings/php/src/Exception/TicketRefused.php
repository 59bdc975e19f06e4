<?php

declare(strict_types=1);

namespace Consolepass\Exception;

/** The ticket was refused, or came too late: open the console again. */
final class TicketRefused extends ConsolepassException
{
}
