"""Console tickets, links and a relay for virtual machines, to embed in a customer portal.

A portal's user owns a virtual machine and clicks "Console". For customers, a `Relay` issues a `Pass` for the machine; the
browser connects with it, and only then is the hypervisor asked for a ticket. No credential of the hypervisor reaches the
browser, and a pass works once. For operators, tests and portals with a relay of their own, a backend such as `Proxmox` opens
a `Console` itself, which holds secrets.

Everything here blocks, releases the interpreter while it does, and ends at once with Ctrl-C; `consolepass.aio` has the same
names to be awaited.
"""

from __future__ import annotations

import atexit
from collections.abc import Iterator
from types import TracebackType

from . import _native
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
__version__ = _native.VERSION

# Before the interpreter ends, so that none of our threads enters it while it does.
atexit.register(_native.end)


class Proxmox(ProxmoxBase):
    __doc__ = ProxmoxBase.__doc__
    __slots__ = ()

    def open(self, machine: str | None = None, kind: str = "vnc") -> Console:
        """Opens a console: asks the hypervisor for a ticket. The result holds secrets, and is not for a browser.

        `machine` is "qemu/101", "lxc/200", "pve2/qemu/101" with its node, or "101".
        """
        console: Console = self._opening(machine, kind).wait()
        return console


class Vnc(VncBase):
    __doc__ = VncBase.__doc__
    __slots__ = ()

    def open(self, machine: str | None = None, kind: str = "vnc") -> Console:
        """Looks the server up. `machine` is a name of your choice, for the log."""
        console: Console = self._opening(machine, kind).wait()
        return console


class Relay(RelayBase):
    __doc__ = RelayBase.__doc__
    __slots__ = ()

    def start(self) -> None:
        """Listens, and serves from now on. It may be tried again if the address is taken."""
        self._native.start().wait()

    def issue(self, backend: str, machine: str, **options: Unpack[PassOptions]) -> Pass:
        """Issues a pass for a machine of one of this relay's backends, which is named as in `backends`."""
        issued: Pass = self._issuing(backend, machine, options).wait()
        return issued

    def revoke(self, reference: str | Pass) -> bool:
        """Ends a console, and makes its pass useless if it was not used yet.

        Returns whether there was such a session or unused pass. An unused signed pass is made useless as well, but cannot
        be found.
        """
        try:
            found: bool = self._revoking(reference).wait()
        finally:
            # It may be a pass, which no reporter of crashes is to show.
            del reference
        return found

    def events(self, timeout: float | None = None) -> Events:
        """What happens to the consoles, from now on. An iteration ends with the relay, or after so many seconds of nothing."""
        return Events(self._native.events(), timeout)

    def stop(self) -> None:
        """Stops for good: tells every browser why its console ends, and waits for that as long as `shutdown_grace` says."""
        self._native.stop().wait()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()


class Issuer(IssuerBase):
    __doc__ = IssuerBase.__doc__
    __slots__ = ()

    def issue(self, backend: str, machine: str, **options: Unpack[PassOptions]) -> Pass:
        """Issues a pass for a machine of a backend, which is named as the relay knows it."""
        issued: Pass = self._issuing(backend, machine, options).wait()
        return issued


class Events(EventsBase):
    __doc__ = EventsBase.__doc__
    __slots__ = ()

    def next(self, timeout: float | None = None) -> Event | None:
        """The next event; None if there is none in so many seconds. Raises `Closed` when the relay has ended."""
        event: Event | None = self._next(timeout).wait()
        return event

    def __iter__(self) -> Iterator[Event]:
        return self

    def __next__(self) -> Event:
        try:
            event = self.next(self._timeout)
        except Closed:
            event = None
        if event is None:
            raise StopIteration
        return event
