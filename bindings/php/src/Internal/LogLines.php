<?php

declare(strict_types=1);

namespace Consolepass\Internal;

/** Log lines on their way: fetched from the library after each of its calls, or written by the parts in plain PHP. */
final class LogLines
{
    /** PSR-3's words by the library's, which has one level more. */
    private const LEVELS = ['error' => 'error', 'warn' => 'warning', 'info' => 'info', 'debug' => 'debug', 'trace' => 'debug'];

    /** The fields that hold words of the library. */
    private const WORDS = ['error' => true, 'reason' => true, 'hint' => true];

    private static ?\Closure $receiver = null;
    private static string $level = 'warn';

    /** The library's log, and the process that has opened it: a fork's child needs one of its own. */
    private static ?Handle $log = null;
    private static int $process = 0;

    /** A receiver may call this package itself. */
    private static bool $isBusy = false;

    public static function send(\Closure $receiver, string $level): void
    {
        $ours = array_search($level, self::LEVELS, true);
        if ($ours === false) {
            throw Failure::invalid('level', Text::checked('level', $level), 'accepted are error, warning, info and debug');
        }
        self::$receiver = $receiver;
        self::$level = $ours;
        self::$log = null;
    }

    /** Opens the library's log, so that the next call's lines are kept. */
    public static function open(): void
    {
        if (self::$isBusy || (self::$log !== null && self::$process === getmypid())) {
            return;
        }
        self::$isBusy = true;
        try {
            self::$log = Native::log(self::$level);
            self::$process = (int) getmypid();
        } finally {
            self::$isBusy = false;
        }
    }

    /** Hands over what the library has written. */
    public static function deliver(): void
    {
        if (self::$isBusy || self::$log === null || self::$process !== getmypid()) {
            return;
        }
        self::$isBusy = true;
        try {
            while (($line = Native::nextLine(self::$log)) !== null) {
                self::hand(
                    self::LEVELS[(string) Native::text('log_line_level', $line)] ?? 'error',
                    Options::inPhp((string) Native::text('log_line_message', $line)),
                    self::inPhp(Native::fields($line)),
                );
            }
        } finally {
            self::$isBusy = false;
        }
    }

    /**
     * A line of our own.
     *
     * @param array<string, string> $fields
     */
    public static function write(string $level, string $message, array $fields): void
    {
        $order = array_keys(self::LEVELS);
        if (array_search($level, $order, true) <= array_search(self::$level, $order, true)) {
            self::hand(self::LEVELS[$level], $message, $fields);
        }
    }

    /**
     * What an error says, and why a console ended, speaks of options; the other fields are somebody's own names.
     *
     * @param array<string, string> $fields
     * @return array<string, string>
     */
    private static function inPhp(array $fields): array
    {
        return array_replace($fields, array_map(Options::inPhp(...), array_intersect_key($fields, self::WORDS)));
    }

    /** @param array<string, string> $fields */
    private static function hand(string $level, string $message, array $fields): void
    {
        if (self::$receiver !== null) {
            (self::$receiver)($level, $message, $fields);
            return;
        }
        $text = "consolepass: $level: $message";
        foreach ($fields as $name => $value) {
            $text .= " $name=" . (preg_match('/[\s"\\\\]|^$/', $value) === 1 ? Text::quoted($value) : $value);
        }
        error_log($text);
    }
}
