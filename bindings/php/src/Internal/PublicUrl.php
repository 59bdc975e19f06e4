<?php

declare(strict_types=1);

namespace Consolepass\Internal;

/** A relay's own address, as browsers know it: http or https, with any path prefix. */
final class PublicUrl
{
    use NotUnserialized;

    private const WORDS = [
        'spaces' => 'a URL holds no spaces',
        'scheme' => 'the scheme must be https, or http for tests',
        'tail' => 'a query or fragment does not belong into it',
        'accepted' => 'accepted is https://portal.example.com or https://portal.example.com/console',
    ];

    /** @param string $text without a slash at the end */
    private function __construct(public readonly string $text)
    {
    }

    /** Reads `https://portal.example.com/console`; a slash at the end makes no difference. */
    public static function parse(#[\SensitiveParameter] string $text): self
    {
        $url = WebAddress::parse('publicUrl', $text, self::WORDS);
        $problem = $url->prefixProblem();
        if ($problem !== null) {
            throw WebAddress::wrong('publicUrl', $text, $problem, self::WORDS['accepted']);
        }
        return new self($url->origin() . rtrim($url->path, '/'));
    }

    /** What every pass begins with, so that another relay can say that it is not its own. */
    public function relayId(): string
    {
        return Reference::ofBytes(hash('sha256', $this->text, true));
    }

    /** The websocket with a pass, for a page that knows only a URL. */
    public function websocketWith(#[\SensitiveParameter] string $pass): string
    {
        // `http` becomes `ws`, and with it `https` becomes `wss`.
        return 'ws' . substr($this->text, strlen('http')) . '/ws?pass=' . rawurlencode($pass);
    }

    /** The viewer with a pass in its fragment, which no server sees. */
    public function viewerWith(#[\SensitiveParameter] string $pass): string
    {
        return $this->text . '/#pass=' . rawurlencode($pass);
    }
}
