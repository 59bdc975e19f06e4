<?php

declare(strict_types=1);

namespace Consolepass;

use Consolepass\Internal\NotUnserialized;
use Consolepass\Internal\NovncPage;
use Consolepass\Internal\Options;
use Consolepass\Internal\PublicUrl;
use Consolepass\Internal\Secret;

/**
 * One pass: it opens one session, soon, and names nothing but a console.
 *
 * It holds no secret of a hypervisor, but whoever has it may open the console until it is used: hand it to the one browser that
 * it is meant for, over HTTPS, and do not log it. No dump of a pass shows it.
 */
final class Pass implements \JsonSerializable
{
    use NotUnserialized;

    /** @internal made by Issuer::issue() and Relay::issue() */
    public function __construct(
        private readonly Secret $text,
        private readonly PublicUrl $publicUrl,
        private readonly string $reference,
        private readonly \DateTimeImmutable $expiresAt,
    ) {
    }

    /** The websocket for a page that knows only a URL, such as somebody's noVNC: wss://…/ws?pass=… */
    public function url(): string
    {
        return $this->publicUrl->websocketWith($this->text->expose());
    }

    /** The page with our viewer: https://…/#pass=… The pass is in the fragment, which no server's log sees. */
    public function viewerUrl(): string
    {
        return $this->publicUrl->viewerWith($this->text->expose());
    }

    /** The websocket sub-protocol to offer in place of a pass in the URL, beside `binary`. */
    public function subProtocol(): string
    {
        return 'consolepass.pass.' . $this->text->expose();
    }

    /** The public name of this console, for the portal's own log. It is safe to show. */
    public function reference(): string
    {
        return $this->reference;
    }

    /** When the pass ends if it is not used. */
    public function expiresAt(): \DateTimeImmutable
    {
        return $this->expiresAt;
    }

    /**
     * The arguments of `new RFB(element, url)` of noVNC, and of react-vnc. There is no password, for the relay asks for none.
     *
     * @return array{url: string, password: null}
     */
    public function rfbParameters(): array
    {
        return ['url' => $this->url(), 'password' => null];
    }

    /**
     * The link of somebody's noVNC page that opens this pass's console, once. The relay has to allow the page's origin.
     *
     * @param string $page the address of a vnc.html, vnc_lite.html or vnc_auto.html
     * @param array{version?: string, viewOnly?: bool, resize?: string, withPassword?: bool, foreignOrigin?: bool} $options
     * @throws Exception\ConsolepassException
     */
    public function novncUrl(#[\SensitiveParameter] string $page, #[\SensitiveParameter] array $options = []): string
    {
        return (new NovncPage($page, Options::withDefaults('page', $options)))->link($this->url());
    }

    /**
     * Everything, for a template: the two URLs hold the pass, and no secret of the hypervisor.
     *
     * @return array{url: string, viewerUrl: string, subProtocol: string, reference: string, expiresAt: string}
     */
    public function toArray(): array
    {
        return [
            'url' => $this->url(),
            'viewerUrl' => $this->viewerUrl(),
            'subProtocol' => $this->subProtocol(),
        ] + $this->jsonSerialize();
    }

    /**
     * What may be in a log: give a browser toArray().
     *
     * @return array{reference: string, expiresAt: string}
     */
    public function jsonSerialize(): array
    {
        return ['reference' => $this->reference, 'expiresAt' => $this->expiresAt->format(\DATE_RFC3339_EXTENDED)];
    }

    /** @return array<string, string> */
    public function __debugInfo(): array
    {
        return isset($this->expiresAt) ? $this->jsonSerialize() : [];
    }

    public function __serialize(): array
    {
        throw new \LogicException('a pass is not serialized, for whoever has it may use it: hand toArray() to the page');
    }
}
