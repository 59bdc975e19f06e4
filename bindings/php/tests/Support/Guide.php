<?php

declare(strict_types=1);

namespace Consolepass\Tests\Support;

use LogicException;

/**
 * A README that is followed in a portal's folder: its code as it stands there, but for places that a test cannot have.
 *
 * Each of these has to be named where a block has it, and to stand in it; so nothing else is replaced by chance, and nothing that was
 * to be replaced is left.
 */
final class Guide
{
    private readonly Markdown $readme;

    /** @param array<string, string> $places by what the README calls them what they are here */
    public function __construct(string $readme, private readonly Installed $portal, private readonly array $places)
    {
        $this->readme = new Markdown($readme);
    }

    /**
     * Free ports for addresses that somebody else may have.
     *
     * @return array<string, string>
     */
    public static function freePorts(string ...$addresses): array
    {
        $places = [];
        foreach ($addresses as $address) {
            $server = stream_socket_server('tcp://127.0.0.1:0');
            $places[$address] = (string) stream_socket_get_name($server, false);
        }
        return $places;
    }

    /** The one block of a language that holds $part, with $places as they are here. */
    public function block(string $language, string $part, string ...$places): string
    {
        $code = $this->readme->block($language, $part);
        foreach ($this->places as $old => $new) {
            if (in_array($old, $places, true)) {
                $code = self::replaced($code, $old, $new);
            } elseif (str_contains($code, $old)) {
                throw new LogicException("$old stands in $code");
            }
        }
        return $code;
    }

    /** Writes a block into a file of the portal's. */
    public function write(string $file, string $language, string $part, string ...$places): void
    {
        file_put_contents($this->portal->path($file), $this->block($language, $part, ...$places));
    }

    /** What a reader types into a terminal, to its end. */
    public function run(string $part, string ...$places): string
    {
        return $this->portal->shell($this->block('sh', $part, ...$places));
    }

    /** What a reader types into a terminal and leaves there. */
    public function start(string $part, string ...$places): Process
    {
        $shell = ['/bin/sh', '-c', $this->block('sh', $part, ...$places)];
        return new Process($shell, $this->portal->environment, $this->portal->path(), group: true);
    }

    /** @return list<string> */
    public function unused(): array
    {
        return $this->readme->unused();
    }

    public static function replaced(string $code, string $old, string $new): string
    {
        return str_contains($code, $old) ? str_replace($old, $new, $code) : throw new LogicException("$old does not stand in $code");
    }
}
