<?php

declare(strict_types=1);

namespace Consolepass\Internal;

/** PHP's warnings of a call that says its reason in no other way. */
final class Warnings
{
    /**
     * Calls $call, whose warnings go to nobody else. An @ is not enough: a portal's own handler hears of what stands behind one as
     * well, may make an exception of it, and leaves error_get_last() empty.
     *
     * @template T
     * @param \Closure(): T $call
     * @return array{T, string} what it returns, and its first warning, empty if there was none
     */
    public static function during(#[\SensitiveParameter] \Closure $call): array
    {
        $said = '';
        set_error_handler(static function (int $level, #[\SensitiveParameter] string $message) use (&$said): bool {
            $said = $said === '' ? $message : $said;
            return true;
        });
        try {
            return [$call(), $said];
        } finally {
            restore_error_handler();
        }
    }
}
