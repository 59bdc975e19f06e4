<?php

/*
 * Writes what PHP has of the two tables: src/ErrorCode.php and src/Internal/OptionTable.php, from tests/tables.json.
 *
 *     php tools/tables.php            writes them
 *     php tools/tables.php --check    says which one is stale, and exits with 1
 */

declare(strict_types=1);

const SOURCE = __DIR__ . '/../../../tests/tables.json';
const TARGET = __DIR__ . '/../src/';

/** @param array<mixed> $arguments */
function main(array $arguments): int
{
    $tables = json_decode((string) file_get_contents(SOURCE), true, 16, JSON_THROW_ON_ERROR);
    $files = [
        'ErrorCode.php' => error_codes($tables['codes'], array_column($tables['options'], 'name')),
        'Internal/OptionTable.php' => option_table($tables['options']),
    ];
    $stale = array_filter(
        $files,
        static fn (string $text, string $name): bool => @file_get_contents(TARGET . $name) !== $text,
        ARRAY_FILTER_USE_BOTH,
    );
    if ($arguments === ['--check']) {
        foreach (array_keys($stale) as $name) {
            fwrite(STDERR, "src/$name is stale: php bindings/php/tools/tables.php\n");
        }
        return $stale === [] ? 0 : 1;
    }
    foreach ($stale as $name => $text) {
        file_put_contents(TARGET . $name, $text);
    }
    return 0;
}

/**
 * @param list<array<string, mixed>> $codes
 * @param list<string> $options their names, which hints speak of
 */
function error_codes(array $codes, array $options): string
{
    $name = '/\b(?:' . implode('|', array_unique($options)) . ')\b/';
    $in_php = static fn (string $hint): string =>
        preg_replace_callback($name, static fn (array $found): string => camel($found[0]), $hint);
    $cases = $numbers = $sentences = $hints = '';
    $retryable = [];
    foreach ($codes as $code) {
        $case = pascal($code['name']);
        $cases .= "\n    /** {$code['sentence']} */\n    case $case = " . literal($code['name']) . ";\n";
        $numbers .= "            self::$case => {$code['number']},\n";
        $sentences .= "            self::$case => " . literal($code['sentence']) . ",\n";
        $hints .= "            self::$case =>\n                " . literal($in_php($code['hint'])) . ",\n";
        if ($code['retryable']) {
            $retryable[] = "self::$case";
        }
    }
    $retryable = implode(",\n            ", $retryable);
    return <<<PHP
        <?php

        // Made by tools/tables.php.

        declare(strict_types=1);

        namespace Consolepass;

        /** The kinds of failure, the same in every language. A number is given once and for ever. */
        enum ErrorCode: string
        {{$cases}
            /** The fixed number; the websocket close code is 4000 plus it. */
            public function number(): int
            {
                return match (\$this) {
        $numbers        };
            }

            /** The words that a customer may be told: no host, no node, nothing of what the hypervisor said. */
            public function sentence(): string
            {
                return match (\$this) {
        $sentences        };
            }

            /** What the person who runs the portal can do about it. */
            public function hint(): string
            {
                return match (\$this) {
        $hints        };
            }

            /** Whether the same call may succeed a moment later, with nothing changed. */
            public function isRetryable(): bool
            {
                return in_array(\$this, [
                    $retryable,
                ], true);
            }
        }

        PHP;
}

/** @param list<array<string, mixed>> $options */
function option_table(array $options): string
{
    $scopes = [];
    foreach ($options as $row) {
        $parts = ["'type' => " . literal($row['type'])];
        foreach (['min', 'max'] as $limit) {
            if ($row[$limit] !== null) {
                $parts[] = "'$limit' => {$row[$limit]}";
            }
        }
        if ($row['default'] !== null) {
            $parts[] = "'default' => " . literal($row['default']);
        }
        $scopes[$row['scope']][] = '            ' . literal(camel($row['name'])) . ' => [' . implode(', ', $parts) . "],\n";
    }
    $rows = '';
    foreach ($scopes as $scope => $lines) {
        $rows .= '        ' . literal($scope) . " => [\n" . implode('', $lines) . "        ],\n";
    }
    return <<<PHP
        <?php

        // Made by tools/tables.php.

        declare(strict_types=1);

        namespace Consolepass\\Internal;

        /** The options of each scope, as PHP spells them. */
        final class OptionTable
        {
            public const SCOPES = [
        $rows    ];
        }

        PHP;
}

function pascal(string $name): string
{
    return str_replace('_', '', ucwords($name, '_'));
}

function camel(string $name): string
{
    return lcfirst(pascal($name));
}

function literal(string $text): string
{
    return "'" . addcslashes($text, "'\\") . "'";
}

exit(main(array_slice($argv, 1)));
