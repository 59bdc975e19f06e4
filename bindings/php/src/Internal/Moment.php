<?php

declare(strict_types=1);

namespace Consolepass\Internal;

/** Moments, in UTC whatever the portal's own time zone is. */
final class Moment
{
    /** @param float $seconds since 1970 */
    public static function of(float $seconds): \DateTimeImmutable
    {
        $moment = \DateTimeImmutable::createFromFormat('U.u', sprintf('%.6F', $seconds), new \DateTimeZone('UTC'));
        if ($moment === false) {
            throw new \LogicException("$seconds is no moment");
        }
        return $moment;
    }
}
