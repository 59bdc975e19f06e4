<?php

declare(strict_types=1);

namespace Consolepass\Internal;

/**
 * For what only its own constructor makes whole. PHP would otherwise make an object with nothing in it out of a text, one that a
 * queue or a session has kept, and whoever used it would read of a property that was not initialized.
 */
trait NotUnserialized
{
    /** @param array<mixed> $data */
    public function __unserialize(#[\SensitiveParameter] array $data): void
    {
        throw new \LogicException(static::class . ' is not made by unserialize(): what it stands for is in no text');
    }
}
