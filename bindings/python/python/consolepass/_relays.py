"""What the relays and issuers of threads and those of event loops have in common."""

from __future__ import annotations

import math
from collections.abc import Mapping

from . import _native, asgi, wsgi
from ._backends import BackendBase
from ._errors import invalid
from ._native import Operation, Pass
from ._options import IssuerOptions, PassOptions, RelayOptions
from ._typing import Unpack


class RelayBase:
    """A relay: it issues passes, and serves the browsers that bring them.

    `backends` are the hypervisors under the names that passes use. A relay listens on its own port once it was started, or
    it serves what the portal's own server gives it. It belongs to the process that does so: start it after a fork.
    """

    __slots__ = ("__weakref__", "_native", "_public_url")
    _native: _native.Relay

    def __init__(self, backends: Mapping[str, BackendBase], **options: Unpack[RelayOptions]) -> None:
        try:
            self._native = _native.Relay(_natives(backends), dict(options))
        except BaseException:
            del backends, options
            raise
        self._public_url = options.get("public_url")

    @property
    def session_count(self) -> int:
        """How many consoles are open."""
        return self._native.session_count

    @property
    def address(self) -> str | None:
        """The address that it listens on, such as "127.0.0.1:8700"; None while it does not."""
        return self._native.address

    @property
    def asgi(self) -> asgi.Application:
        """The relay as an ASGI application: the viewer and the websocket, to be mounted in the portal's own."""
        return asgi.Application(self)

    @property
    def wsgi(self) -> wsgi.Application:
        """The relay as a WSGI application, for servers that show their socket: Werkzeug and gunicorn."""
        return wsgi.Application(self)

    def __repr__(self) -> str:
        return _shown(self)

    def _issuing(self, backend: str, machine: str, options: PassOptions) -> Operation:
        return self._native.issue(backend, machine, dict(options))

    def _revoking(self, reference: str | Pass) -> Operation:
        try:
            return self._native.revoke(reference.reference if isinstance(reference, Pass) else reference)
        finally:
            # It may be a pass.
            del reference


class IssuerBase:
    """A maker of signed passes, where the relay is another process: it needs the `public_url` of the relay, and the key that
    both have. It has no port, and works on both sides of a fork.
    """

    __slots__ = ("_native", "_public_url")
    _native: _native.Issuer

    def __init__(self, **options: Unpack[IssuerOptions]) -> None:
        try:
            self._native = _native.Issuer(dict(options))
        except BaseException:
            del options
            raise
        self._public_url = options.get("public_url")

    def __repr__(self) -> str:
        return _shown(self)

    def _issuing(self, backend: str, machine: str, options: PassOptions) -> Operation:
        return self._native.issue(backend, machine, dict(options))


class EventsBase:
    """A place to fetch a relay's events from. Those that nobody fetches are lost, the oldest first, when there are more than
    1024; an event says how many."""

    __slots__ = ("_native", "_timeout")

    def __init__(self, native: _native.Events, timeout: float | None) -> None:
        self._native = native
        self._timeout = _checked(timeout)

    def _next(self, timeout: float | None) -> Operation:
        return self._native.next(_checked(timeout))


def _natives(backends: Mapping[str, BackendBase]) -> dict[str, _native.Backend]:
    if not isinstance(backends, Mapping):
        kind = type(backends).__name__
        del backends
        raise invalid("backends", f"must be a dict of backends by their names, not {kind}")
    wrong = [(name, type(backend).__name__) for name, backend in backends.items() if not isinstance(backend, BackendBase)]
    if wrong:
        del backends
        raise invalid("backends", f"{wrong[0][0]!r} must be a Proxmox or a Vnc, not {wrong[0][1]}")
    return {name: backend._native for name, backend in backends.items()}


def _shown(this: RelayBase | IssuerBase) -> str:
    # Reporters of crashes show what was not made either.
    url = f" {this._public_url}" if hasattr(this, "_public_url") else ", not made"
    return f"<{type(this).__module__}.{type(this).__name__}{url}>"


def _checked(timeout: float | None) -> float | None:
    if timeout is None:
        return None
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)):
        raise invalid("timeout", f"must be a number of seconds, not {type(timeout).__name__}")
    if not 0 <= timeout < math.inf:
        raise invalid("timeout", f"must be a number of seconds that is not negative, not {timeout}")
    # A thousand years: whatever is longer is no time that a computer could wait.
    return min(float(timeout), 3.2e10) if timeout < 3.2e10 else 3.2e10
