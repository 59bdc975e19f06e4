<?php

declare(strict_types=1);

namespace Consolepass;

use Consolepass\Internal\LogLines;

/**
 * Where log lines go. Errors and warnings, such as that a certificate is not checked, go to PHP's own error log unless the portal has
 * a log of its own. No line holds a secret.
 */
final class Log
{
    /**
     * Sends the lines of this process elsewhere: `Log::to($logger->log(...))` for a logger of PSR-3.
     *
     * Lines come while a call of this package is under way, Relay::nextEvent() included.
     *
     * @param \Closure(string, string, array<string, string>): mixed $receiver of a level (error, warning, info or debug), a message,
     *     and what belongs to it by name
     * @param string $level of the least that is sent
     * @throws Exception\ConsolepassException
     */
    public static function to(\Closure $receiver, string $level = 'info'): void
    {
        LogLines::send($receiver, $level);
    }
}
