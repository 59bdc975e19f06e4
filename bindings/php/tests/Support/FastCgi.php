<?php

declare(strict_types=1);

namespace Consolepass\Tests\Support;

use RuntimeException;

/** One request by FastCGI, without a process for it, where there are thousands of them. */
final class FastCgi
{
    private const BEGIN = 1;
    private const END = 3;
    private const PARAMETERS = 4;
    private const INPUT = 5;
    private const OUTPUT = 6;

    /**
     * @param array<string, string> $parameters
     * @return string what the application answers: headers and body
     */
    public static function ask(string $socket, array $parameters): string
    {
        $stream = stream_socket_client("unix://$socket", $code, $message, Process::PATIENCE);
        if ($stream === false) {
            throw new RuntimeException("$socket: $message");
        }
        stream_set_timeout($stream, (int) Process::PATIENCE);
        $pairs = '';
        foreach ($parameters as $name => $value) {
            $pairs .= pack('N2', strlen($name) | 1 << 31, strlen($value) | 1 << 31) . $name . $value;
        }
        // A responder, whose connection ends with the request.
        fwrite($stream, self::record(self::BEGIN, pack('nCx5', 1, 0)) . self::record(self::PARAMETERS, $pairs)
            . self::record(self::PARAMETERS, '') . self::record(self::INPUT, ''));
        $output = '';
        while (strlen($head = (string) fread($stream, 8)) === 8) {
            ['type' => $type, 'length' => $length, 'padding' => $padding] = (array) unpack('x/Ctype/nrequest/nlength/Cpadding', $head);
            $content = $length + $padding > 0 ? (string) stream_get_contents($stream, $length + $padding) : '';
            if ($type === self::OUTPUT) {
                $output .= substr($content, 0, $length);
            } elseif ($type === self::END) {
                return $output;
            }
        }
        throw new RuntimeException("the answer breaks off: $output");
    }

    private static function record(int $type, string $content): string
    {
        return pack('CCnnxx', 1, $type, 1, strlen($content)) . $content;
    }
}
