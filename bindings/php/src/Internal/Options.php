<?php

declare(strict_types=1);

namespace Consolepass\Internal;

use Consolepass\ErrorCode;
use Consolepass\Exception\ConsolepassException;

/** Options against their table: known names, and values of the right type. */
final class Options
{
    /**
     * The values by name, as text, number, boolean or list. What is null was not given.
     *
     * @param array<mixed> $given
     * @return array<string, string|int|bool|list<string>>
     */
    public static function check(string $scope, #[\SensitiveParameter] array $given): array
    {
        $rows = OptionTable::SCOPES[$scope];
        $values = [];
        foreach ($given as $name => $value) {
            if (!isset($rows[$name])) {
                throw self::unknown($scope, (string) $name);
            }
            if ($value !== null) {
                $values[$name] = self::parse("$scope: $name", $rows[$name], $value);
            }
        }
        return $values;
    }

    /**
     * The same, with the defaults of what was not given.
     *
     * @param array<mixed> $given
     * @return array<string, string|int|bool|list<string>>
     */
    public static function withDefaults(string $scope, #[\SensitiveParameter] array $given): array
    {
        $values = self::check($scope, $given);
        foreach (OptionTable::SCOPES[$scope] as $name => $row) {
            if (isset($row['default']) && !isset($values[$name])) {
                $values[$name] = self::parse("$scope: $name", $row, $row['default']);
            }
        }
        return $values;
    }

    /**
     * A text that has no default and must be given.
     *
     * @param array<string, mixed> $values
     */
    public static function requiredText(string $scope, #[\SensitiveParameter] array $values, string $name): string
    {
        if (!isset($values[$name])) {
            throw Failure::of(ErrorCode::InvalidArgument, "$scope: option " . Text::quoted($name) . ' is missing');
        }
        return $values[$name];
    }

    /**
     * Words of the core, with its options as they are spelled here.
     *
     * Nothing else is changed: no part of a longer word or of a path, and of what stands between quotes, which is mostly a value
     * that somebody gave, only the name of an option itself.
     */
    public static function inPhp(string $words): string
    {
        $spelled = preg_replace_callback(
            '/"(?:[^"\\\\]++|\\\\.)*+"|(?<![\w\/.-])[a-z]+(?:_[a-z]+)+(?![\w\/-]|\.\w)/s',
            static function (array $found): string {
                $name = trim($found[0], '"');
                return self::isName($name) ? str_replace($name, self::camelCase($name), $found[0]) : $found[0];
            },
            $words,
        );
        return $spelled ?? $words;
    }

    /** Whether the core has an option of this name. */
    private static function isName(string $name): bool
    {
        foreach (OptionTable::SCOPES as $rows) {
            if (isset($rows[self::camelCase($name)]) && self::snakeCase(self::camelCase($name)) === $name) {
                return true;
            }
        }
        return false;
    }

    /** `tokenSecret` is what every other language calls `token_secret`. */
    public static function camelCase(string $name): string
    {
        return lcfirst(str_replace('_', '', ucwords($name, '_')));
    }

    public static function snakeCase(string $name): string
    {
        return strtolower((string) preg_replace('/[A-Z]/', '_$0', $name));
    }

    private static function unknown(string $scope, string $name): ConsolepassException
    {
        $known = implode(', ', array_keys(OptionTable::SCOPES[$scope]));
        $message = "$scope: unknown option " . Text::quoted($name) . "; the options are $known";
        return Failure::of(ErrorCode::InvalidArgument, $message);
    }

    /**
     * @param array{type: string, min?: int, max?: int} $row
     * @return string|int|bool|list<string>
     */
    private static function parse(string $key, array $row, #[\SensitiveParameter] mixed $value): string|int|bool|array
    {
        if ($value instanceof \Stringable) {
            $value = (string) $value;
        }
        if (is_string($value)) {
            $problem = Text::problem($value);
            if ($problem !== null) {
                throw Failure::invalid($key, '…', $problem);
            }
        }
        switch ($row['type']) {
            case 'secret':
                return is_string($value) ? $value : throw Failure::invalid($key, '…', 'must be text');
            case 'string':
                return is_string($value) && $value !== ''
                    ? $value
                    : self::refuse($key, $value, $row['type'], 'must be text that is not empty');
            case 'list':
                return self::listOf($key, $value);
            case 'boolean':
                return match ($value) {
                    true, 'true' => true,
                    false, 'false' => false,
                    default => self::refuse($key, $value, $row['type'], 'must be true or false'),
                };
            default:
                $number = is_string($value) && preg_match('/^[0-9]{1,18}$/D', $value) === 1 ? (int) $value : $value;
                if (is_int($number) && $number >= $row['min'] && $number <= $row['max']) {
                    return $number;
                }
                $unit = $row['type'] === 'seconds' ? ' of seconds' : '';
                self::refuse($key, $value, $row['type'], "must be a whole number$unit from {$row['min']} to {$row['max']}");
        }
    }

    /** @return list<string> */
    private static function listOf(string $key, #[\SensitiveParameter] mixed $value): array
    {
        if (is_string($value)) {
            $items = array_map('trim', explode(',', $value));
            return array_values(array_filter($items, static fn (string $item): bool => $item !== ''));
        }
        if (!is_array($value) || !array_is_list($value)) {
            self::refuse($key, $value, 'list', 'must be a text, or a list of texts');
        }
        foreach ($value as $item) {
            if (!is_string($item)) {
                self::refuse($key, $item, 'list', 'must be a list of texts');
            }
            $problem = Text::problem($item) ?? (str_contains($item, ',') ? 'an item of a list holds no comma' : null);
            if ($problem !== null) {
                throw Failure::invalid($key, '…', $problem);
            }
        }
        return $value;
    }

    /** A value of a wrong type is not shown: it may hold a secret. Numbers and booleans may be given as text. */
    private static function refuse(string $key, #[\SensitiveParameter] mixed $value, string $type, string $reason): never
    {
        $isShown = is_string($value) || (is_int($value) && in_array($type, ['integer', 'seconds'], true));
        throw Failure::invalid($key, $isShown ? (string) $value : get_debug_type($value), $reason);
    }
}
