<?php

declare(strict_types=1);

namespace Consolepass;

use Consolepass\Internal\Failure;
use Consolepass\Internal\Handle;
use Consolepass\Internal\Milliseconds;
use Consolepass\Internal\Native;
use Consolepass\Internal\NotUnserialized;
use Consolepass\Internal\Options;
use Consolepass\Internal\PublicUrl;
use Consolepass\Internal\Secret;
use Consolepass\Internal\Text;

/**
 * A relay: issues passes, and serves the browsers that bring them, with threads of its own.
 *
 * It is for a process of the command line that goes on: a worker of PHP-FPM ends when its manager likes, and the consoles with
 * it. So everywhere else the constructor throws; there `vendor/bin/consolepass relay` runs beside the portal, and Consolepass\Issuer
 * makes the passes.
 */
final class Relay
{
    use NotUnserialized;

    private readonly Handle $handle;
    private readonly Handle $events;

    /**
     * Checks everything that can be checked, and opens nothing.
     *
     * @param array<string, Backend> $backends by the names that passes use
     * @param array{
     *     publicUrl: string,
     *     listen?: string,
     *     allowedOrigins?: string|list<string>,
     *     allowMissingOrigin?: bool,
     *     frameAncestors?: string|list<string>,
     *     store?: string,
     *     passKeyFile?: string,
     *     marksDir?: string,
     *     maxSessions?: int,
     *     maxHandshakes?: int,
     *     handshakeTimeout?: int,
     *     sessionMaxAge?: int,
     *     idleTimeout?: int,
     *     pingInterval?: int,
     *     shutdownGrace?: int,
     * } $options
     * @throws Exception\ConsolepassException
     */
    public function __construct(#[\SensitiveParameter] array $backends, #[\SensitiveParameter] array $options)
    {
        self::refuseWebServers();
        $handles = [];
        foreach ($backends as $name => $backend) {
            if (!$backend instanceof Backend) {
                $reason = 'must be a Consolepass\Proxmox or Consolepass\Vnc';
                throw Failure::invalid('backend', (string) $name, "$reason, not " . get_debug_type($backend));
            }
            $handles[Text::checked('backend', (string) $name)] = $backend->handle();
        }
        $this->handle = Native::relay($handles, Options::check('relay', $options));
        // From here on events are kept; those that nobody fetches are dropped, the oldest first.
        $this->events = Native::events($this->handle);
    }

    /**
     * Listens, and serves from now on, whatever this process does meanwhile.
     *
     * @throws Exception\ListenFailed when the address is taken; it may be tried again
     * @throws Exception\Closed when it was stopped
     */
    public function start(): void
    {
        Native::start($this->handle);
    }

    /** The address that it listens on, such as 127.0.0.1:8700; null before the start and after the stop. */
    public function address(): ?string
    {
        return Native::text('relay_address', $this->handle);
    }

    /**
     * Issues a pass for a machine of one of this relay's backends.
     *
     * @param array{user?: string, ttl?: int, kind?: string} $options
     * @throws Exception\ConsolepassException
     */
    public function issue(string $backend, string $machine, #[\SensitiveParameter] array $options = []): Pass
    {
        Text::checked('backend', $backend);
        Text::checked('machine', $machine);
        $pass = Native::issue($this->handle, $backend, $machine, Options::check('pass', $options));
        [$publicUrl, $text] = explode('/#pass=', (string) Native::text('pass_viewer_url', $pass), 2);
        return new Pass(
            new Secret($text),
            PublicUrl::parse($publicUrl),
            (string) Native::text('pass_reference', $pass),
            Native::moment('pass_expires_at', $pass),
        );
    }

    /**
     * Ends the console of a pass, and makes the pass useless if it was not used yet. Returns whether there was such a session or
     * unused pass; an unused signed pass is made useless as well, but cannot be found. A console that another process carries goes
     * on: ask each of them.
     *
     * @param string|Pass $reference a pass, or its reference as the portal has kept it
     * @throws Exception\ConsolepassException
     */
    public function revoke(#[\SensitiveParameter] string|Pass $reference): bool
    {
        $text = $reference instanceof Pass ? $reference->reference() : Text::checked('reference', $reference);
        return Native::revoke($this->handle, $text);
    }

    /** How many consoles are open; none in a process that was forked off. */
    public function sessionCount(): int
    {
        return Native::number('relay_session_count', $this->handle);
    }

    /**
     * The next event, or null if there was none in this time.
     *
     * PHP hears no signals while it waits here, so a loop waits a short time and asks again.
     *
     * @param float $timeout in seconds; 0 does not wait
     * @throws Exception\Closed when the relay was stopped and everything was fetched
     */
    public function nextEvent(float $timeout = 0.0): ?Event
    {
        $event = Native::nextEvent($this->events, Milliseconds::of('timeout', $timeout));
        if ($event === null) {
            return null;
        }
        [$code, $message] = [Native::text('event_code_name', $event), Native::text('event_message', $event)];
        return new Event(
            Native::eventName($event),
            Native::moment('event_at', $event),
            Native::text('event_reference', $event),
            Native::text('event_backend', $event),
            Native::text('event_machine', $event),
            Native::text('event_user', $event),
            $code === null ? null : ErrorCode::tryFrom($code),
            $message === null ? null : Options::inPhp($message),
            Native::number('event_lost', $event),
        );
    }

    /**
     * Stops for good: accepts nobody any more, tells every browser why its console ends, and waits for that as long as the option
     * shutdownGrace says. Doing it again waits for the same end.
     *
     * @param ?float $timeout seconds to wait at most; null leaves it to the option
     */
    public function stop(?float $timeout = null): void
    {
        Native::stop($this->handle, $timeout === null ? 0 : max(1, Milliseconds::of('timeout', $timeout)));
    }

    /** @return array<string, mixed> */
    public function __debugInfo(): array
    {
        return ['address' => isset($this->handle) ? $this->address() : null];
    }

    public function __serialize(): array
    {
        throw new \LogicException('a relay is not serialized: its threads are in this process alone');
    }

    private static function refuseWebServers(): void
    {
        if (PHP_SAPI === 'cli' || PHP_SAPI === 'phpdbg') {
            return;
        }
        throw Failure::of(
            ErrorCode::Unsupported,
            'relay: not in a worker of a web server (' . PHP_SAPI . '), which ends when its manager likes, and every console with it',
            'run vendor/bin/consolepass relay --config consolepass.toml beside the portal, as a service; here, '
            . 'Consolepass\Issuer makes the passes that it takes',
        );
    }
}
