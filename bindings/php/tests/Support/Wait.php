<?php

declare(strict_types=1);

namespace Consolepass\Tests\Support;

use RuntimeException;

/** Waiting for a condition, never for a time. */
final class Wait
{
    /**
     * Asks again and again until the answer is not null, and returns it.
     *
     * @template T
     * @param callable(): ?T $condition
     * @return T
     */
    public static function until(string $what, callable $condition): mixed
    {
        $end = microtime(true) + Process::PATIENCE;
        // Often it is a matter of less than a millisecond.
        for ($pause = 200; ($answer = $condition()) === null; $pause = min(2 * $pause, 5000)) {
            if (microtime(true) > $end) {
                throw new RuntimeException("waited in vain for $what");
            }
            usleep($pause);
        }
        return $answer;
    }
}
