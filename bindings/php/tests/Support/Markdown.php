<?php

declare(strict_types=1);

namespace Consolepass\Tests\Support;

use RuntimeException;

/** The code of a README, block by block. */
final class Markdown
{
    /** @var list<array{language: string, code: string}> */
    public readonly array $blocks;

    /** @var array<int, true> */
    private array $used = [];

    public function __construct(string $path)
    {
        preg_match_all('/^```(\w*)\n(.*?)^```$/ms', (string) file_get_contents($path), $found, PREG_SET_ORDER);
        $this->blocks = array_map(static fn (array $block): array => ['language' => $block[1], 'code' => $block[2]], $found);
    }

    /** The one block of a language that holds $part. */
    public function block(string $language, string $part): string
    {
        $fitting = array_filter(
            $this->blocks,
            static fn (array $block): bool => $block['language'] === $language && str_contains($block['code'], $part),
        );
        if (count($fitting) !== 1) {
            throw new RuntimeException(count($fitting) . " blocks of $language have $part");
        }
        $this->used[(int) key($fitting)] = true;
        return current($fitting)['code'];
    }

    /** @return list<string> */
    public function unused(): array
    {
        return array_values(array_column(array_diff_key($this->blocks, $this->used), 'code'));
    }
}
