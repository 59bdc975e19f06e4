<?php

declare(strict_types=1);

namespace Consolepass\Internal;

/** Why something is no URL, or none of the web if there is no reason: for whoever knows what it was to be. */
final class WrongUrl extends \RuntimeException
{
    public function __construct(public readonly ?string $reason)
    {
        parent::__construct((string) $reason);
    }
}
