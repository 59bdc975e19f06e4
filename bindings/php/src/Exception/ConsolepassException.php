<?php

declare(strict_types=1);

namespace Consolepass\Exception;

use Consolepass\ErrorCode;

/**
 * What consolepass throws.
 *
 * The message says what failed, where and why, in words that are safe to log; the hint says what to do. A customer may be told
 * the code's sentence, and nothing else. Where a caller would do something of its own about a failure, there is a subclass.
 */
class ConsolepassException extends \RuntimeException
{
    /** What to do about it, for the person who runs the portal. */
    public readonly string $hint;

    /** Whether the same call may succeed a moment later, with nothing changed. */
    public readonly bool $retryable;

    /**
     * @param ErrorCode $errorCode what kind of failure it is; getCode() is its number
     * @param ?int $httpStatus what the management API answered, if it did
     * @param ?string $fingerprint of the certificate that was refused, to compare and to pin
     * @param ?string $reference the console that it is about, if a pass named one
     */
    final public function __construct(
        string $message,
        public readonly ErrorCode $errorCode,
        ?string $hint = null,
        public readonly ?int $httpStatus = null,
        public readonly ?string $fingerprint = null,
        public readonly ?string $reference = null,
        ?\Throwable $previous = null,
    ) {
        parent::__construct($message, $errorCode->number(), $previous);
        $this->hint = $hint ?? $errorCode->hint();
        $this->retryable = $errorCode->isRetryable();
    }

    /** The words that a customer may be told. */
    final public function sentence(): string
    {
        return $this->errorCode->sentence();
    }
}
