<?php

declare(strict_types=1);

namespace Consolepass\Internal;

/**
 * Text that is never shown: it is no property, so that no dump, export, JSON or cast of whatever holds it has it.
 *
 * PHP copies strings as it likes, so nothing here overwrites them when they are done with; the library does so with its own.
 */
final class Secret
{
    use NotUnserialized;

    /** @var ?\WeakMap<self, string> */
    private static ?\WeakMap $values = null;

    public function __construct(#[\SensitiveParameter] string $value)
    {
        self::$values ??= new \WeakMap();
        self::$values[$this] = $value;
    }

    /** The text itself, for the one place that it is meant for. */
    public function expose(): string
    {
        return self::$values[$this] ?? throw new \LogicException('a secret without its constructor holds nothing');
    }

    public function __clone()
    {
        throw new \LogicException('a secret is not copied');
    }

    public function __serialize(): array
    {
        throw new \LogicException('a secret is not serialized');
    }
}
