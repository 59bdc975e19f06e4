<?php

declare(strict_types=1);

namespace Consolepass\Internal;

use Consolepass\ErrorCode;
use Consolepass\Exception\ConsolepassException;
use FFI\CData;

/**
 * Every call of the library. What goes in and comes out are PHP's own types, and handles.
 *
 * No trace has a pointer: whoever dumps it would follow it to what is no longer there, and PHP would crash.
 */
final class Native
{
    /** Of the header that this class was written for. */
    public const ABI_VERSION = 1;

    /** @param array<string, string|int|bool|list<string>> $options of the type, checked */
    public static function backend(string $type, #[\SensitiveParameter] array $options): Handle
    {
        $given = self::options($options);
        return self::make('backend', static fn (\FFI $ffi, #[\SensitiveParameter] CData $out): ?CData =>
            $ffi->cpass_backend_new($type, strlen($type), $given->pointer(), $out));
    }

    public static function open(Handle $backend, string $machine, string $kind, int $milliseconds): Handle
    {
        return self::make('console', static fn (\FFI $ffi, #[\SensitiveParameter] CData $out): ?CData => $ffi->cpass_backend_open(
            $backend->pointer(),
            $machine,
            strlen($machine),
            $kind,
            strlen($kind),
            $milliseconds,
            $out,
        ));
    }

    /** @param array<string, string|int|bool|list<string>> $options of the page, checked */
    public static function consolePage(
        Handle $console,
        #[\SensitiveParameter] string $page,
        #[\SensitiveParameter] array $options,
    ): string {
        $given = self::options($options);
        $link = self::make('link', static fn (\FFI $ffi, #[\SensitiveParameter] CData $out): ?CData =>
            $ffi->cpass_console_novnc_url($console->pointer(), $page, strlen($page), $given->pointer(), $out));
        return (string) self::text('link_url', $link);
    }

    /** @return array<string, string> */
    public static function headers(Handle $console): array
    {
        $ffi = Library::get();
        $headers = [];
        for ($index = 0; $index < $ffi->cpass_console_header_count($console->pointer()); $index++) {
            $name = $ffi->cpass_console_header_name($console->pointer(), $index, null);
            $headers[$name] = $ffi->cpass_console_header_value($console->pointer(), $index, null);
        }
        return $headers;
    }

    /**
     * @param array<string, Handle> $backends by name
     * @param array<string, string|int|bool|list<string>> $options of the relay, checked
     */
    public static function relay(array $backends, #[\SensitiveParameter] array $options): Handle
    {
        $list = self::make('backends', static fn (\FFI $ffi, #[\SensitiveParameter] CData $out): ?CData =>
            $ffi->cpass_backends_new($out));
        foreach ($backends as $name => $backend) {
            $name = (string) $name;
            self::check(Library::get()->cpass_backends_add($list->pointer(), $name, strlen($name), $backend->pointer()));
        }
        $given = self::options($options);
        return self::make('relay', static fn (\FFI $ffi, #[\SensitiveParameter] CData $out): ?CData =>
            $ffi->cpass_relay_new($list->pointer(), $given->pointer(), $out));
    }

    public static function start(Handle $relay): void
    {
        self::check(Library::get()->cpass_relay_start($relay->pointer()));
    }

    /** @param array<string, string|int|bool|list<string>> $options of the pass, checked */
    public static function issue(Handle $relay, string $backend, string $machine, #[\SensitiveParameter] array $options): Handle
    {
        $given = self::options($options);
        return self::make('pass', static fn (\FFI $ffi, #[\SensitiveParameter] CData $out): ?CData => $ffi->cpass_relay_issue(
            $relay->pointer(),
            $backend,
            strlen($backend),
            $machine,
            strlen($machine),
            $given->pointer(),
            $out,
        ));
    }

    public static function revoke(Handle $relay, #[\SensitiveParameter] string $reference): bool
    {
        $ffi = Library::get();
        $found = $ffi->new('bool');
        self::check($ffi->cpass_relay_revoke($relay->pointer(), $reference, strlen($reference), \FFI::addr($found)));
        return $found->cdata;
    }

    public static function stop(Handle $relay, int $milliseconds): void
    {
        self::check(Library::get()->cpass_relay_stop($relay->pointer(), $milliseconds));
    }

    public static function events(Handle $relay): Handle
    {
        return self::make('events', static fn (\FFI $ffi, #[\SensitiveParameter] CData $out): ?CData =>
            $ffi->cpass_events_new($relay->pointer(), $out));
    }

    /** The next event, or null if there was none in this time. */
    public static function nextEvent(Handle $events, int $milliseconds): ?Handle
    {
        $ffi = Library::get();
        $out = $ffi->new('cpass_event *');
        self::check($ffi->cpass_events_next($events->pointer(), $milliseconds, \FFI::addr($out)));
        return \FFI::isNull($out) ? null : new Handle($ffi, 'event', $out);
    }

    public static function log(string $level): Handle
    {
        return self::make('log', static fn (\FFI $ffi, #[\SensitiveParameter] CData $out): ?CData =>
            $ffi->cpass_log_new($level, strlen($level), $out));
    }

    /** The next line that was written, or null if there is none. */
    public static function nextLine(Handle $log): ?Handle
    {
        $ffi = Library::get();
        $out = $ffi->new('cpass_log_line *');
        self::check($ffi->cpass_log_next($log->pointer(), 0, \FFI::addr($out)));
        return \FFI::isNull($out) ? null : new Handle($ffi, 'log_line', $out);
    }

    /** @return array<string, string> of a log line */
    public static function fields(Handle $line): array
    {
        $ffi = Library::get();
        $fields = [];
        for ($index = 0; $index < $ffi->cpass_log_line_field_count($line->pointer()); $index++) {
            $name = $ffi->cpass_log_line_field_name($line->pointer(), $index, null);
            $fields[$name] = $ffi->cpass_log_line_field_value($line->pointer(), $index, null);
        }
        return $fields;
    }

    /** What happened, as a word. */
    public static function eventName(Handle $event): string
    {
        $ffi = Library::get();
        return match ($ffi->cpass_event_what_happened($event->pointer())) {
            $ffi->CPASS_EVENT_TAKEN => 'taken',
            $ffi->CPASS_EVENT_CONNECTED => 'connected',
            $ffi->CPASS_EVENT_ENDED => 'ended',
            $ffi->CPASS_EVENT_LOST => 'lost',
            default => 'other',
        };
    }

    /** What a function of a handle lends: `text('pass_url', $pass)` is cpass_pass_url. */
    public static function text(string $function, Handle $handle): ?string
    {
        return Library::get()->{"cpass_$function"}($handle->pointer(), null);
    }

    /** The same for numbers, which have no length. */
    public static function number(string $function, Handle $handle): int
    {
        return Library::get()->{"cpass_$function"}($handle->pointer());
    }

    /** A moment in milliseconds since 1970. */
    public static function moment(string $function, Handle $handle): \DateTimeImmutable
    {
        return Moment::of(self::number($function, $handle) / 1000);
    }

    /**
     * Options as the library takes them: all text, under the names that every language has.
     *
     * @param array<string, string|int|bool|list<string>> $values
     */
    private static function options(#[\SensitiveParameter] array $values): Handle
    {
        $options = self::make('options', static fn (\FFI $ffi, #[\SensitiveParameter] CData $out): ?CData =>
            $ffi->cpass_options_new($out));
        foreach ($values as $name => $value) {
            $name = Options::snakeCase($name);
            $text = match (true) {
                is_bool($value) => $value ? 'true' : 'false',
                is_array($value) => implode(',', $value),
                default => (string) $value,
            };
            self::check(Library::get()->cpass_options_set($options->pointer(), $name, strlen($name), $text, strlen($text)));
        }
        return $options;
    }

    /**
     * Calls a function that makes a handle of $type. A dump of $call shows what it has from its caller.
     *
     * @param \Closure(\FFI, CData): ?CData $call
     */
    private static function make(string $type, #[\SensitiveParameter] \Closure $call): Handle
    {
        LogLines::open();
        $ffi = Library::get();
        $out = $ffi->new("cpass_$type *");
        $error = $call($ffi, \FFI::addr($out));
        $made = $error === null ? new Handle($ffi, $type, $out) : null;
        self::check($error);
        return $made ?? throw new \LogicException('an error throws');
    }

    /** Throws the error that a function has returned, and frees it; the log hears of the call first. */
    private static function check(#[\SensitiveParameter] ?CData $error): void
    {
        $handle = $error === null ? null : new Handle(Library::get(), 'error', $error);
        LogLines::deliver();
        if ($handle !== null) {
            throw self::exception($handle);
        }
    }

    private static function exception(Handle $error): ConsolepassException
    {
        $code = ErrorCode::tryFrom((string) self::text('error_name', $error)) ?? ErrorCode::Internal;
        $message = Options::inPhp((string) self::text('error_message', $error));
        $hint = Options::inPhp((string) self::text('error_hint', $error));
        $status = self::number('error_http_status', $error);
        return Failure::of(
            $code,
            $message,
            $hint,
            $status === 0 ? null : $status,
            self::text('error_fingerprint', $error),
            self::text('error_reference', $error),
        );
    }
}
