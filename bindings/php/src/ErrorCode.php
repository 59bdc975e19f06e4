<?php

// Made by tools/tables.php.

declare(strict_types=1);

namespace Consolepass;

/** The kinds of failure, the same in every language. A number is given once and for ever. */
enum ErrorCode: string
{
    /** an option or argument is not valid */
    case InvalidArgument = 'invalid_argument';

    /** the portal could not log in to the hypervisor */
    case AuthFailed = 'auth_failed';

    /** the portal's hypervisor account asks for a second factor */
    case TfaRequired = 'tfa_required';

    /** the portal may not open a console on this machine */
    case PermissionDenied = 'permission_denied';

    /** the machine was not found */
    case MachineNotFound = 'machine_not_found';

    /** the machine is not running */
    case MachineNotRunning = 'machine_not_running';

    /** the machine has no console of this kind */
    case NoConsole = 'no_console';

    /** the hypervisor refused the console ticket */
    case TicketRefused = 'ticket_refused';

    /** the console ticket expired before it was used */
    case TicketExpired = 'ticket_expired';

    /** this console does not work with an API token */
    case TokenUnsupported = 'token_unsupported';

    /** the hypervisor's certificate is not trusted */
    case TlsUntrusted = 'tls_untrusted';

    /** the hypervisor cannot be reached */
    case Unreachable = 'unreachable';

    /** the hypervisor did not answer in time */
    case Timeout = 'timeout';

    /** the hypervisor answered in a way that was not understood */
    case Protocol = 'protocol';

    /** this is not supported */
    case Unsupported = 'unsupported';

    /** too many consoles are open */
    case Busy = 'busy';

    /** the console link is not valid */
    case PassInvalid = 'pass_invalid';

    /** the console link has expired */
    case PassExpired = 'pass_expired';

    /** the console link was already used */
    case PassUsed = 'pass_used';

    /** the console link belongs to another relay */
    case PassForeign = 'pass_foreign';

    /** the console may not be opened from this page */
    case OriginRefused = 'origin_refused';

    /** the portal refused the console */
    case Denied = 'denied';

    /** the portal ended the console */
    case Revoked = 'revoked';

    /** the console was closed because nobody used it */
    case Idle = 'idle';

    /** the console reached its time limit */
    case TimeLimit = 'time_limit';

    /** the relay is shutting down */
    case ShuttingDown = 'shutting_down';

    /** the relay cannot listen */
    case ListenFailed = 'listen_failed';

    /** the console was closed */
    case Closed = 'closed';

    /** the relay belongs to another process */
    case Forked = 'forked';

    /** something went wrong inside the relay */
    case Internal = 'internal';

    /** The fixed number; the websocket close code is 4000 plus it. */
    public function number(): int
    {
        return match ($this) {
            self::InvalidArgument => 1,
            self::AuthFailed => 2,
            self::TfaRequired => 3,
            self::PermissionDenied => 4,
            self::MachineNotFound => 5,
            self::MachineNotRunning => 6,
            self::NoConsole => 7,
            self::TicketRefused => 8,
            self::TicketExpired => 9,
            self::TokenUnsupported => 10,
            self::TlsUntrusted => 11,
            self::Unreachable => 12,
            self::Timeout => 13,
            self::Protocol => 14,
            self::Unsupported => 15,
            self::Busy => 16,
            self::PassInvalid => 17,
            self::PassExpired => 18,
            self::PassUsed => 19,
            self::PassForeign => 20,
            self::OriginRefused => 21,
            self::Denied => 22,
            self::Revoked => 23,
            self::Idle => 24,
            self::TimeLimit => 25,
            self::ShuttingDown => 26,
            self::ListenFailed => 27,
            self::Closed => 28,
            self::Forked => 29,
            self::Internal => 30,
        };
    }

    /** The words that a customer may be told: no host, no node, nothing of what the hypervisor said. */
    public function sentence(): string
    {
        return match ($this) {
            self::InvalidArgument => 'an option or argument is not valid',
            self::AuthFailed => 'the portal could not log in to the hypervisor',
            self::TfaRequired => 'the portal\'s hypervisor account asks for a second factor',
            self::PermissionDenied => 'the portal may not open a console on this machine',
            self::MachineNotFound => 'the machine was not found',
            self::MachineNotRunning => 'the machine is not running',
            self::NoConsole => 'the machine has no console of this kind',
            self::TicketRefused => 'the hypervisor refused the console ticket',
            self::TicketExpired => 'the console ticket expired before it was used',
            self::TokenUnsupported => 'this console does not work with an API token',
            self::TlsUntrusted => 'the hypervisor\'s certificate is not trusted',
            self::Unreachable => 'the hypervisor cannot be reached',
            self::Timeout => 'the hypervisor did not answer in time',
            self::Protocol => 'the hypervisor answered in a way that was not understood',
            self::Unsupported => 'this is not supported',
            self::Busy => 'too many consoles are open',
            self::PassInvalid => 'the console link is not valid',
            self::PassExpired => 'the console link has expired',
            self::PassUsed => 'the console link was already used',
            self::PassForeign => 'the console link belongs to another relay',
            self::OriginRefused => 'the console may not be opened from this page',
            self::Denied => 'the portal refused the console',
            self::Revoked => 'the portal ended the console',
            self::Idle => 'the console was closed because nobody used it',
            self::TimeLimit => 'the console reached its time limit',
            self::ShuttingDown => 'the relay is shutting down',
            self::ListenFailed => 'the relay cannot listen',
            self::Closed => 'the console was closed',
            self::Forked => 'the relay belongs to another process',
            self::Internal => 'something went wrong inside the relay',
        };
    }

    /** What the person who runs the portal can do about it. */
    public function hint(): string
    {
        return match ($this) {
            self::InvalidArgument =>
                'correct the named option; the accepted values stand in the message',
            self::AuthFailed =>
                'check the token (USER@REALM!TOKENID and its secret) or the user and password; it may be disabled or expired',
            self::TfaRequired =>
                'use an API token, which never asks for a second factor, or a service user without one',
            self::PermissionDenied =>
                'grant VM.Console on the machine to the token and, for a privilege-separated token, to its user as well',
            self::MachineNotFound =>
                'check the machine\'s id and node; the account also needs VM.Audit to look the node up',
            self::MachineNotRunning =>
                'start the machine, then open the console again',
            self::NoConsole =>
                'give the machine a display (for a terminal: a serial port), or ask for another kind',
            self::TicketRefused =>
                'open the console again; if it persists, check that nothing rewrites URLs or balances requests between the portal and the hypervisor',
            self::TicketExpired =>
                'open the console again; compare the clocks of the portal and the hypervisor if it persists',
            self::TokenUnsupported =>
                'upgrade the hypervisor to the version named in the message, or use a user and password',
            self::TlsUntrusted =>
                'pin the fingerprint that the error carries after comparing it on the hypervisor, or give its CA certificate',
            self::Unreachable =>
                'check the host, the port and the firewall between the portal and the hypervisor',
            self::Timeout =>
                'try again; if it persists, check the load of the hypervisor and the path to it',
            self::Protocol =>
                'check that the host and port are those of the management API and that no other server answers there',
            self::Unsupported =>
                'the message names what is supported instead',
            self::Busy =>
                'close another console, or raise the limit named in the message',
            self::PassInvalid =>
                'issue a new pass; the link may have been cut or changed on its way',
            self::PassExpired =>
                'issue a new pass; raise its time to live if pages load slowly',
            self::PassUsed =>
                'issue a new pass for each connection; a page that reconnects by itself needs a new one as well',
            self::PassForeign =>
                'with several processes use signed passes or a shared store, and the same publicUrl and key everywhere',
            self::OriginRefused =>
                'add the page\'s exact origin (scheme, host and port) to allowedOrigins',
            self::Denied =>
                'the portal\'s own check said no',
            self::Revoked =>
                'the pass or session was revoked; issue a new pass if that was not meant',
            self::Idle =>
                'open the console again, or raise idleTimeout',
            self::TimeLimit =>
                'open the console again, or raise sessionMaxAge',
            self::ShuttingDown =>
                'open the console again in a moment',
            self::ListenFailed =>
                'another process may hold the address named in the message; choose another, or stop that process',
            self::Closed =>
                'the machine or its host ended the connection; open the console again',
            self::Forked =>
                'start the relay after the fork, in the process that uses it',
            self::Internal =>
                'this is a defect; report it with the reference and the log',
        };
    }

    /** Whether the same call may succeed a moment later, with nothing changed. */
    public function isRetryable(): bool
    {
        return in_array($this, [
            self::TicketRefused,
            self::TicketExpired,
            self::Unreachable,
            self::Timeout,
            self::Busy,
            self::ShuttingDown,
            self::Closed,
        ], true);
    }
}
