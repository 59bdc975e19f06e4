<?php

declare(strict_types=1);

namespace Consolepass;

use Consolepass\Internal\Handle;
use Consolepass\Internal\Native;
use Consolepass\Internal\NotUnserialized;
use Consolepass\Internal\Options;
use Consolepass\Internal\Text;

/**
 * One console: a ticket with everything needed to use it.
 *
 * It holds secrets of the hypervisor and is for the portal's own process and for operators, never for a customer's browser. Each
 * secret has a method of its own; no dump, array or JSON form of a console has one.
 */
final class Console implements \JsonSerializable
{
    use NotUnserialized;

    /** @internal made by Backend::open() */
    public function __construct(private readonly Handle $handle)
    {
    }

    /** The machine, with the type and node that the backend found: pve1/qemu/101. */
    public function machine(): string
    {
        return (string) Native::text('console_machine', $this->handle);
    }

    /** The kind of console: vnc. */
    public function kind(): string
    {
        return (string) Native::text('console_kind', $this->handle);
    }

    /**
     * The websocket to open, with the ticket in it: a secret. Null for a plain RFB server. It is ready to use; any further
     * encoding breaks the ticket.
     */
    public function websocketUrl(): ?string
    {
        return Native::text('console_websocket_url', $this->handle);
    }

    /** The VNC password: a secret. Null if the console needs none. */
    public function password(): ?string
    {
        return Native::text('console_password', $this->handle);
    }

    /**
     * The headers that the websocket's request needs: secrets, for they are the account's own login.
     *
     * @return array<string, string> by name
     */
    public function headers(): array
    {
        return Native::headers($this->handle);
    }

    /** The address to dial, the one that issued the ticket: 192.0.2.1:8006. Null for a console behind a unix socket. */
    public function address(): ?string
    {
        return Native::text('console_address', $this->handle);
    }

    /** When the ticket ends: the connection must stand by then, and may outlive it. */
    public function expiresAt(): \DateTimeImmutable
    {
        return Native::moment('console_expires_at', $this->handle);
    }

    /**
     * The arguments of `new RFB(element, url, {credentials: {password}})` of noVNC, and of react-vnc: secrets.
     *
     * @return array{url: ?string, password: ?string}
     */
    public function rfbParameters(): array
    {
        return ['url' => $this->websocketUrl(), 'password' => $this->password()];
    }

    /**
     * The link of a noVNC page that opens this console, for an operator: a secret. The browser then talks to the hypervisor
     * itself, and needs the hypervisor's own login cookie as well.
     *
     * @param string $page the address of a vnc.html, vnc_lite.html or vnc_auto.html
     * @param array{version?: string, viewOnly?: bool, resize?: string, withPassword?: bool, foreignOrigin?: bool} $options
     * @throws Exception\ConsolepassException
     */
    public function novncUrl(#[\SensitiveParameter] string $page, #[\SensitiveParameter] array $options = []): string
    {
        Text::checked('page', $page);
        return Native::consolePage($this->handle, $page, Options::check('page', $options));
    }

    /** Overwrites the secrets and forgets the console; a connection that was made with it goes on. Done by itself at the end. */
    public function close(): void
    {
        $this->handle->close();
    }

    /**
     * What may be shown.
     *
     * @return array{machine: string, kind: string, expiresAt: string}
     */
    public function jsonSerialize(): array
    {
        return [
            'machine' => $this->machine(),
            'kind' => $this->kind(),
            'expiresAt' => $this->expiresAt()->format(\DATE_RFC3339_EXTENDED),
        ];
    }

    /** @return array<string, mixed> */
    public function __debugInfo(): array
    {
        try {
            return isset($this->handle) ? $this->jsonSerialize() : [];
        } catch (Exception\Closed) {
            return ['closed' => true];
        }
    }

    public function __serialize(): array
    {
        throw new \LogicException('a console is not serialized: it holds secrets of the hypervisor');
    }
}
