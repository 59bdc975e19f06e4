<?php

declare(strict_types=1);

namespace Consolepass\Internal;

use Consolepass\ErrorCode;

/** A handle of the library, which frees it once: when nothing refers to it any more, or before. */
final class Handle
{
    use NotUnserialized;

    private ?\FFI\CData $pointer = null;

    /** @param string $type such as "backend": its function is then cpass_backend_free */
    public function __construct(
        /** Kept, so that the library is still there when the handle is freed, whatever PHP ends first. */
        private readonly \FFI $library,
        private readonly string $type,
        #[\SensitiveParameter] \FFI\CData $pointer,
    ) {
        $this->pointer = $pointer;
    }

    public function pointer(): \FFI\CData
    {
        return $this->pointer ?? throw Failure::of(ErrorCode::Closed, "{$this->type}: it was closed");
    }

    /** Frees it; doing so again does nothing. */
    public function close(): void
    {
        if ($this->pointer !== null) {
            $this->library->{"cpass_{$this->type}_free"}($this->pointer);
            $this->pointer = null;
        }
    }

    public function __destruct()
    {
        $this->close();
    }

    /** @return array<string, mixed> */
    public function __debugInfo(): array
    {
        return ['type' => $this->type ?? null, 'open' => $this->pointer !== null];
    }

    public function __clone()
    {
        throw new \LogicException("a handle is not copied: the library's {$this->type} would be freed twice");
    }

    public function __serialize(): array
    {
        throw new \LogicException("a handle is not serialized: the library's {$this->type} is in this process alone");
    }
}
