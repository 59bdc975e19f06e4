"""The same as `consolepass`, for asyncio: what blocks there is awaited here. To cancel a task is to cancel its request.

Consoles, passes, events, errors and links are those of `consolepass`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import TracebackType

from ._backends import ProxmoxBase, VncBase
from ._errors import (
    AuthFailed,
    Busy,
    Closed,
    Error,
    Forked,
    InternalError,
    InvalidArgument,
    ListenFailed,
    MachineNotFound,
    MachineNotRunning,
    NoConsole,
    PassRefused,
    PermissionDenied,
    ProtocolError,
    TfaRequired,
    TicketRefused,
    Timeout,
    TlsUntrusted,
    Unreachable,
    Unsupported,
)
from ._events import Event
from ._native import Console, Pass, RfbParameters, cloudtower_direct, cloudtower_via
from ._options import PassOptions
from ._relays import EventsBase, IssuerBase, RelayBase
from ._typing import Self, Unpack
from ._waiting import done

__all__ = [
    "AuthFailed",
    "Busy",
    "Closed",
    "Console",
    "Error",
    "Event",
    "Events",
    "Forked",
    "InternalError",
    "InvalidArgument",
    "Issuer",
    "ListenFailed",
    "MachineNotFound",
    "MachineNotRunning",
    "NoConsole",
    "Pass",
    "PassRefused",
    "PermissionDenied",
    "ProtocolError",
    "Proxmox",
    "Relay",
    "RfbParameters",
    "TfaRequired",
    "TicketRefused",
    "Timeout",
    "TlsUntrusted",
    "Unreachable",
    "Unsupported",
    "Vnc",
    "cloudtower_direct",
    "cloudtower_via",
]


class Proxmox(ProxmoxBase):
    __doc__ = ProxmoxBase.__doc__
    __slots__ = ()

    async def open(self, machine: str | None = None, kind: str = "vnc") -> Console:
        """Opens a console: asks the hypervisor for a ticket. The result holds secrets, and is not for a browser.

        `machine` is "qemu/101", "lxc/200", "pve2/qemu/101" with its node, or "101".
        """
        console: Console = await done(self._opening(machine, kind))
        return console


class Vnc(VncBase):
    __doc__ = VncBase.__doc__
    __slots__ = ()

    async def open(self, machine: str | None = None, kind: str = "vnc") -> Console:
        """Looks the server up. `machine` is a name of your choice, for the log."""
        console: Console = await done(self._opening(machine, kind))
        return console


class Relay(RelayBase):
    __doc__ = RelayBase.__doc__
    __slots__ = ()

    async def start(self) -> None:
        """Listens, and serves from now on. It may be tried again if the address is taken."""
        await done(self._native.start())

    async def issue(self, backend: str, machine: str, **options: Unpack[PassOptions]) -> Pass:
        """Issues a pass for a machine of one of this relay's backends, which is named as in `backends`."""
        issued: Pass = await done(self._issuing(backend, machine, options))
        return issued

    async def revoke(self, reference: str | Pass) -> bool:
        """Ends a console, and makes its pass useless if it was not used yet.

        Returns whether there was such a session or unused pass. An unused signed pass is made useless as well, but cannot
        be found.
        """
        try:
            found: bool = await done(self._revoking(reference))
        finally:
            # It may be a pass, which no reporter of crashes is to show.
            del reference
        return found

    def events(self, timeout: float | None = None) -> Events:
        """What happens to the consoles, from now on. An iteration ends with the relay, or after so many seconds of nothing."""
        return Events(self._native.events(), timeout)

    async def stop(self) -> None:
        """Stops for good: tells every browser why its console ends, and waits for that as long as `shutdown_grace` says."""
        await done(self._native.stop())

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()


class Issuer(IssuerBase):
    __doc__ = IssuerBase.__doc__
    __slots__ = ()

    async def issue(self, backend: str, machine: str, **options: Unpack[PassOptions]) -> Pass:
        """Issues a pass for a machine of a backend, which is named as the relay knows it."""
        issued: Pass = await done(self._issuing(backend, machine, options))
        return issued


class Events(EventsBase):
    __doc__ = EventsBase.__doc__
    __slots__ = ()

    async def next(self, timeout: float | None = None) -> Event | None:
        """The next event; None if there is none in so many seconds. Raises `Closed` when the relay has ended."""
        event: Event | None = await done(self._next(timeout))
        return event

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def __anext__(self) -> Event:
        try:
            event = await self.next(self._timeout)
        except Closed:
            event = None
        if event is None:
            raise StopAsyncIteration
        return event
