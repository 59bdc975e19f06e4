<?php

declare(strict_types=1);

namespace Consolepass;

/** Something that happened to one console of a relay, for the portal's audit. It holds no secret. */
final class Event
{
    /** @internal made by Relay::nextEvent() */
    public function __construct(
        /**
         * taken: a browser's pass was taken; connected: the browser has the screen; ended: the console ended, or never began;
         * lost: events were not fetched in time. More may be added.
         */
        public readonly string $what,
        public readonly \DateTimeImmutable $at,
        /** The console's public name, as its pass has it; null if no valid pass named one. */
        public readonly ?string $reference,
        public readonly ?string $backend,
        public readonly ?string $machine,
        /** The portal's name for the person. */
        public readonly ?string $user,
        /** Why a console ended, as the browser was told. */
        public readonly ?ErrorCode $errorCode,
        /** The same in words that may name hosts and nodes: for the log, not for the browser. */
        public readonly ?string $message,
        /** How many events were lost; 0 for every event but that one. */
        public readonly int $lost,
    ) {
    }
}
