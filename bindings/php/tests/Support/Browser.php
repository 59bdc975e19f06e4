<?php

declare(strict_types=1);

namespace Consolepass\Tests\Support;

use RuntimeException;

/** A browser made of bytes: an upgrade, and RFB as noVNC speaks it. */
final class Browser
{
    /** @var resource */
    private $stream;

    /** What came in frames and was not read yet. */
    private string $unread = '';

    /** @var array{int, int} width and height, once it is logged in */
    private array $screen = [0, 0];

    /** How many bytes a pixel has. */
    private int $pixelLength = 0;

    /** The websocket's close code and reason, once they came. */
    private ?array $closed = null;

    /** Opens a pass's URL as a page of $origin does, at the $address where the relay listens. */
    public function __construct(string $address, string $url, string $origin)
    {
        $parts = parse_url($url);
        $target = ($parts['path'] ?? '/') . '?' . ($parts['query'] ?? '');
        $stream = stream_socket_client("tcp://$address", $code, $message, Process::PATIENCE);
        if ($stream === false) {
            throw new RuntimeException("$address: $message");
        }
        stream_set_timeout($stream, (int) Process::PATIENCE);
        $this->stream = $stream;
        fwrite($stream, "GET $target HTTP/1.1\r\nHost: {$parts['host']}\r\nOrigin: $origin\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            . "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: binary\r\n\r\n");
        $status = (string) fgets($stream);
        if (!str_starts_with($status, 'HTTP/1.1 101 ')) {
            throw new RuntimeException("no upgrade: $status");
        }
        while (rtrim((string) fgets($stream)) !== '') {
            continue;
        }
    }

    /**
     * Logs in at a relay that was just started, with one pass after another: without a folder of marks it cannot know which of the
     * first ones were used before.
     *
     * @param \Closure(): string $viewer a new viewer's address, with a pass
     */
    public static function atANewRelay(string $address, \Closure $viewer): self
    {
        return Wait::until('a relay that takes passes', static function () use ($address, $viewer): ?self {
            $browser = new self($address, str_replace('/#pass=', '/ws?pass=', $viewer()), "http://$address");
            try {
                $browser->logIn();
                return $browser;
            } catch (RuntimeException $error) {
                usleep(200_000);
                return str_contains($error->getMessage(), 'expired') ? null : throw $error;
            }
        });
    }

    /**
     * Logs in as noVNC does; the screen's width and height.
     *
     * @return array{int, int}
     */
    public function logIn(): array
    {
        $this->greet();
        if ($this->read(1) !== "\1") {
            throw new RuntimeException('refused: ' . $this->reason());
        }
        $this->read(1);
        $this->write("\1");
        $this->read(4);
        $this->write("\1");
        $init = $this->read(24);
        ['bits' => $bits, 'name' => $name] = (array) unpack('x4/Cbits/x15/Nname', $init);
        $this->read($name);
        $this->pixelLength = intdiv($bits, 8);
        return $this->screen = array_values((array) unpack('n2', $init));
    }

    /** Asks for the whole screen once it is logged in, as plain pixels; how many colours it shows. */
    public function colours(): int
    {
        $this->write(pack('CxnN', 2, 1, 0));
        $this->write(pack('CCn4', 3, 0, 0, 0, ...$this->screen));
        ['type' => $type, 'rectangles' => $rectangles] = (array) unpack('Ctype/x/nrectangles', $this->read(4));
        if ($type !== 0) {
            throw new RuntimeException("this is message $type, and no picture");
        }
        $colours = [];
        for ($index = 0; $index < $rectangles; $index++) {
            [, , $width, $height, $encoding] = array_values((array) unpack('n4/Nencoding', $this->read(12)));
            if ($encoding !== 0) {
                throw new RuntimeException("$encoding is not the encoding that was asked for");
            }
            $colours += array_flip(str_split($this->read($width * $height * $this->pixelLength), $this->pixelLength));
        }
        return count($colours);
    }

    /** The words of a refusal. */
    public function refusal(): string
    {
        $this->greet();
        if ($this->read(1) !== "\0") {
            throw new RuntimeException('it was let in');
        }
        return $this->reason();
    }

    /**
     * Reads to the end.
     *
     * @return array{int, string} the close code and its reason
     */
    public function end(): array
    {
        while ($this->closed === null) {
            $this->frame();
        }
        return $this->closed;
    }

    private function greet(): void
    {
        if ($this->read(12) !== "RFB 003.008\n") {
            throw new RuntimeException('this is no RFB');
        }
        $this->write("RFB 003.008\n");
    }

    private function reason(): string
    {
        return $this->read(unpack('N', $this->read(4))[1]);
    }

    private function read(int $count): string
    {
        while (strlen($this->unread) < $count) {
            if ($this->closed !== null) {
                throw new RuntimeException('closed: ' . implode(' ', $this->closed));
            }
            $this->frame();
        }
        $bytes = substr($this->unread, 0, $count);
        $this->unread = substr($this->unread, $count);
        return $bytes;
    }

    private function frame(): void
    {
        [$first, $length] = array_values((array) unpack('C2', $this->bytes(2)));
        $length = match ($length) {
            126 => unpack('n', $this->bytes(2))[1],
            127 => unpack('J', $this->bytes(8))[1],
            default => $length,
        };
        $payload = $this->bytes($length);
        if (($first & 0x0f) === 2) {
            $this->unread .= $payload;
        } elseif (($first & 0x0f) === 8) {
            $this->closed = [unpack('n', $payload)[1], substr($payload, 2)];
        }
    }

    private function bytes(int $count): string
    {
        $bytes = '';
        while (strlen($bytes) < $count) {
            $more = fread($this->stream, $count - strlen($bytes));
            if ($more === false || $more === '') {
                throw new RuntimeException('the connection ended');
            }
            $bytes .= $more;
        }
        return $bytes;
    }

    /** One masked frame; a mask of zeros leaves the bytes as they are. */
    private function write(string $payload): void
    {
        fwrite($this->stream, "\x82" . chr(0x80 | strlen($payload)) . "\0\0\0\0$payload");
    }
}
