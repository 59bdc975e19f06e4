<?php

declare(strict_types=1);

namespace Consolepass\Tests\Support;

/** Every way in which PHP shows a value to somebody who has not asked for its secrets. */
final class Shown
{
    public static function everywhere(mixed $value): string
    {
        return implode("\n", self::ways($value));
    }

    /** @return array<string, string> by the name of the way */
    public static function ways(mixed $value): array
    {
        if ($value instanceof \Throwable) {
            return self::waysOfError($value);
        }
        $ways = [
            'print_r' => print_r($value, true),
            'var_export' => var_export($value, true),
            'var_dump' => self::dumped($value),
            'json_encode' => (string) json_encode($value, JSON_PARTIAL_OUTPUT_ON_ERROR | JSON_UNESCAPED_SLASHES),
            'serialize' => self::serialized($value),
        ];
        if (is_object($value)) {
            // What a debugger or a dumper of a framework does: it looks into the fields, and into theirs.
            $ways['cast'] = self::dumped((array) $value);
            $ways['reflection'] = self::dumped(array_map(
                static fn (\ReflectionProperty $field): mixed => $field->getValue($value),
                (new \ReflectionObject($value))->getProperties(),
            ));
        }
        return $ways;
    }

    /**
     * An error shows the arguments of every call on the way to it. Only our own calls are looked into: behind the others is all of
     * the test runner.
     *
     * @return array<string, string>
     */
    private static function waysOfError(\Throwable $error): array
    {
        $isOurs = static fn (array $frame): bool => str_starts_with($frame['class'] ?? '', 'Consolepass\\')
            && !str_starts_with($frame['class'], 'Consolepass\\Tests\\');
        $frames = array_values(array_filter($error->getTrace(), $isOurs));
        return [
            'string' => (string) $error,
            'trace' => print_r($frames, true) . self::dumped($frames) . json_encode($frames, JSON_PARTIAL_OUTPUT_ON_ERROR),
        ];
    }

    private static function dumped(mixed $value): string
    {
        ob_start();
        var_dump($value);
        return (string) ob_get_clean();
    }

    private static function serialized(mixed $value): string
    {
        try {
            return serialize($value);
        } catch (\Throwable $refused) {
            return $refused->getMessage();
        }
    }
}
