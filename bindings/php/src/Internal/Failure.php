<?php

declare(strict_types=1);

namespace Consolepass\Internal;

use Consolepass\ErrorCode;
use Consolepass\Exception;
use Consolepass\Exception\ConsolepassException;

/** Makes exceptions: for each code the class that a caller can catch. */
final class Failure
{
    public static function of(
        ErrorCode $code,
        string $message,
        ?string $hint = null,
        ?int $httpStatus = null,
        ?string $fingerprint = null,
        ?string $reference = null,
    ): ConsolepassException {
        $class = self::classOf($code);
        return new $class($message, $code, $hint, $httpStatus, $fingerprint, $reference);
    }

    /** Bad input: names the key and the value, before anything was started. */
    public static function invalid(
        string $key,
        #[\SensitiveParameter] string $shown,
        string $reason,
        ?string $hint = null,
    ): ConsolepassException {
        // As much as it takes to know it again.
        $isLong = preg_match('/^.{' . self::LONGEST . '}(?=.)/us', $shown, $start) === 1;
        $quoted = $isLong ? Text::quoted($start[0]) . '…' : Text::quoted($shown);
        return self::of(ErrorCode::InvalidArgument, "$key: $quoted: $reason", $hint);
    }

    private const LONGEST = 256;

    /** @return class-string<ConsolepassException> */
    public static function classOf(ErrorCode $code): string
    {
        return match ($code) {
            ErrorCode::InvalidArgument => Exception\InvalidArgument::class,
            ErrorCode::AuthFailed => Exception\AuthFailed::class,
            ErrorCode::TfaRequired => Exception\TfaRequired::class,
            ErrorCode::PermissionDenied => Exception\PermissionDenied::class,
            ErrorCode::MachineNotFound => Exception\MachineNotFound::class,
            ErrorCode::MachineNotRunning => Exception\MachineNotRunning::class,
            ErrorCode::NoConsole => Exception\NoConsole::class,
            ErrorCode::TicketRefused, ErrorCode::TicketExpired => Exception\TicketRefused::class,
            ErrorCode::TlsUntrusted => Exception\TlsUntrusted::class,
            ErrorCode::Unreachable => Exception\Unreachable::class,
            ErrorCode::Timeout => Exception\Timeout::class,
            ErrorCode::Protocol => Exception\ProtocolError::class,
            ErrorCode::Unsupported, ErrorCode::TokenUnsupported => Exception\Unsupported::class,
            ErrorCode::Busy => Exception\Busy::class,
            ErrorCode::PassInvalid, ErrorCode::PassExpired, ErrorCode::PassUsed, ErrorCode::PassForeign,
            ErrorCode::OriginRefused, ErrorCode::Denied, ErrorCode::Revoked => Exception\PassRefused::class,
            ErrorCode::ListenFailed => Exception\ListenFailed::class,
            ErrorCode::Closed, ErrorCode::Idle, ErrorCode::TimeLimit, ErrorCode::ShuttingDown => Exception\Closed::class,
            ErrorCode::Forked => Exception\Forked::class,
            ErrorCode::Internal => Exception\InternalError::class,
        };
    }
}
