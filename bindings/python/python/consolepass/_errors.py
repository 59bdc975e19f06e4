"""Exceptions: one base, and a class for each thing that a caller would do differently.

Every error has a `code` out of one table, which is the same in every language, in events and in the log.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class Error(Exception):
    """What consolepass raises when something fails.

    Its text says what failed, where and why, in words that are safe to log: no ticket, cookie, password or pass is in it.
    """

    code: str
    """What kind of failure it is: "permission_denied"."""
    hint: str
    """What the person who runs the portal can do about it."""
    retryable: bool
    """Whether the same call may succeed a moment later, with nothing changed."""
    http_status: int | None
    """The HTTP status that the management API answered, if it did."""
    fingerprint: str | None
    """The SHA-256 fingerprint of the certificate that was refused, to compare with the hypervisor's and to pin."""
    reference: str | None
    """The public name of the console that it is about, if a pass named one."""
    sentence: str
    """The same in words that a customer may see: it names no host, node, path or upstream's words."""

    def __init__(
        self,
        message: str = "",
        *,
        code: str = "internal",
        hint: str = "",
        retryable: bool = False,
        http_status: int | None = None,
        fingerprint: str | None = None,
        reference: str | None = None,
        sentence: str = "",
    ) -> None:
        super().__init__(message)
        self.code = code
        self.hint = hint
        self.retryable = retryable
        self.http_status = http_status
        self.fingerprint = fingerprint
        self.reference = reference
        self.sentence = sentence

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), str(self), self.__dict__.copy())


class InvalidArgument(Error, ValueError):
    """An option or argument is wrong, and named: correct the call."""


class AuthFailed(Error):
    """The account of the portal cannot log in: look at its credentials."""


class TfaRequired(AuthFailed):
    """The account asks for a second factor: use an API token."""


class PermissionDenied(Error):
    """The account may not do this: grant it VM.Console on the machine."""


class MachineNotFound(Error):
    """There is no such machine."""


class MachineNotRunning(Error):
    """The machine is off: offer to start it."""


class NoConsole(Error):
    """The machine has no console of this kind: ask for another kind."""


class TicketRefused(Error):
    """The ticket was refused, or came too late: open the console again."""


class TlsUntrusted(Error):
    """The certificate is not trusted: compare `fingerprint` with the hypervisor's, and pin it."""


class Unreachable(Error, ConnectionError):
    """The hypervisor cannot be reached: try again, or look at the network."""


class Timeout(Error, TimeoutError):
    """The hypervisor did not answer in time: try again."""


class ProtocolError(Error):
    """The answer was not understood: something else than a management API may be listening there."""


class Unsupported(Error):
    """This cannot be had; the message says what can."""


class Busy(Error):
    """Too many consoles are open: close one, or try again later."""


class PassRefused(Error):
    """A pass is wrong, old, used, revoked, or another relay's: issue a new one."""


class ListenFailed(Error):
    """The relay cannot listen at its address."""


class Closed(Error):
    """The relay or the console has ended."""


class Forked(Error):
    """The relay belongs to the process that started it, and this is another: start one here, after the fork."""


class InternalError(Error):
    """A defect of consolepass."""


CLASSES: dict[str, type[Error]] = {
    "invalid_argument": InvalidArgument,
    "auth_failed": AuthFailed,
    "tfa_required": TfaRequired,
    "permission_denied": PermissionDenied,
    "machine_not_found": MachineNotFound,
    "machine_not_running": MachineNotRunning,
    "no_console": NoConsole,
    "ticket_refused": TicketRefused,
    "ticket_expired": TicketRefused,
    "token_unsupported": Unsupported,
    "tls_untrusted": TlsUntrusted,
    "unreachable": Unreachable,
    "timeout": Timeout,
    "protocol": ProtocolError,
    "unsupported": Unsupported,
    "busy": Busy,
    "pass_invalid": PassRefused,
    "pass_expired": PassRefused,
    "pass_used": PassRefused,
    "pass_foreign": PassRefused,
    "origin_refused": PassRefused,
    "denied": PassRefused,
    "revoked": PassRefused,
    "idle": Closed,
    "time_limit": Closed,
    "shutting_down": Closed,
    "listen_failed": ListenFailed,
    "closed": Closed,
    "forked": Forked,
    "internal": InternalError,
}

# Named as they are imported, in tracebacks and in pickles.
for _kind in (Error, *CLASSES.values()):
    _kind.__module__ = "consolepass"


class Cause(Exception):
    """What another library reported, in its own words."""


def made(
    code: str,
    message: str,
    hint: str,
    retryable: bool,
    http_status: int | None,
    fingerprint: str | None,
    reference: str | None,
    sentence: str,
    causes: Sequence[str],
) -> Error:
    """The exception for an error of the core; `causes` are what is behind it, the nearest first."""
    error = CLASSES.get(code, Error)(
        message,
        code=code,
        hint=hint,
        retryable=retryable,
        http_status=http_status,
        fingerprint=fingerprint,
        reference=reference,
        sentence=sentence,
    )
    effect: BaseException = error
    for words in causes:
        effect.__cause__ = Cause(words)
        effect = effect.__cause__
    return error


def invalid(name: str, reason: str) -> Error:
    """An argument that cannot be used; `reason` shows no value that may be a secret."""
    return InvalidArgument(
        f"{name}: {reason}",
        code="invalid_argument",
        hint="correct the named option; the accepted values stand in the message",
        sentence="an option or argument is not valid",
    )


def unsupported(message: str, hint: str) -> Error:
    """Something that cannot be had; `hint` names what can."""
    return Unsupported(message, code="unsupported", hint=hint, sentence="this is not supported")


def _restored(kind: type[Error], message: str, state: dict[str, Any]) -> Error:
    error = kind(message)
    error.__dict__.update(state)
    return error
