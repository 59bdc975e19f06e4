"""What the backends of threads and those of event loops have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from . import _environment, _proxmoxer
from ._errors import invalid
from ._native import Backend, Operation
from ._options import ProxmoxOptions, VncOptions
from ._typing import Self, Unpack


class BackendBase:
    """One hypervisor's management API, or one screen, and the account to use it with."""

    __slots__ = ("_machine", "_native", "_place")
    _native: Backend
    # What is opened if no machine is named.
    _machine: str | None
    _place: str

    def _opening(self, machine: str | None, kind: str) -> Operation:
        if machine is None:
            machine = self._machine
        if machine is None:
            raise invalid("machine", 'missing; such as "qemu/101"')
        return self._native.open(machine, kind)

    def __repr__(self) -> str:
        # Reporters of crashes show what was not made either.
        place = f" {self._place}" if hasattr(self, "_place") else ", not made"
        return f"<{type(self).__module__}.{type(self).__name__}{place}>"


class ProxmoxBase(BackendBase):
    """A Proxmox VE cluster, or a single node, with an account on it.

    `host` is a node, or several of one cluster to be tried in order: "pve", "pve:8006", "https://pve:8006/",
    "https://proxy/prefix". Give `token_id` and `token_secret`, or `username` and `password`; and `fingerprint` or
    `ca_file`, unless the certificate is from an authority that everybody trusts. Making it asks nothing of the hypervisor,
    and starts no thread; it works on both sides of a fork.
    """

    __slots__ = ()

    def __init__(self, host: str | Sequence[str] | None = None, **options: Unpack[ProxmoxOptions]) -> None:
        try:
            self._native = Backend.proxmox({"host": host, **options})
        except BaseException:
            # Reporters of crashes show what a frame holds: every one of ours that was given a secret lets go of it.
            del host, options
            raise
        self._machine = None
        self._place = _shown(host)

    @classmethod
    def from_proxmoxer(cls, api: Any, **options: Unpack[ProxmoxOptions]) -> Self:
        """Takes over an account from proxmoxer: of a `ProxmoxAPI`, or of a resource such as `api.nodes("pve1").qemu(101)`.

        With a resource of a machine, `open()` needs no other name of it. `options` are added, or replace what was found.
        A user's password is not kept by proxmoxer, so the login that it has is taken over and renewed for as long as it
        is used; an API token lasts.
        """
        found: dict[str, Any] = {}
        try:
            found, machine = _proxmoxer.options(api)
            found.update(options)
            this = cls(**found)
        except BaseException:
            del found, options
            raise
        this._machine = machine
        return this

    @classmethod
    def from_env(cls, **options: Unpack[ProxmoxOptions]) -> Self:
        """Takes the options from the environment, by the names that other tools use as well.

        Read are PROXMOX_HOST (or PROXMOX_URL), PROXMOX_PORT, PROXMOX_TOKEN_ID, PROXMOX_TOKEN_SECRET, PROXMOX_API_TOKEN
        ("USER@REALM!TOKENID=SECRET"), PROXMOX_USER, PROXMOX_PASSWORD, PROXMOX_VERIFY_SSL, PROXMOX_CA_FILE and
        PROXMOX_FINGERPRINT, each with PVE_ or PROXMOX_VE_ in place of PROXMOX_ too. `options` are added, or replace what
        was found.
        """
        found: dict[str, Any] = {}
        try:
            found = _environment.options()
            found.update(options)
            return cls(**found)
        except BaseException:
            del found, options
            raise


class VncBase(BackendBase):
    """A plain RFB server, such as a QEMU or a TigerVNC of one's own, as a backend.

    `host` is its address: "h", "h:5900", several to be tried in order, or "unix:/run/vm.sock".
    """

    __slots__ = ()

    def __init__(self, host: str | Sequence[str] | None = None, **options: Unpack[VncOptions]) -> None:
        try:
            self._native = Backend.vnc({"host": host, **options})
        except BaseException:
            del host, options
            raise
        self._machine = None
        self._place = _shown(host)


def _shown(host: str | Sequence[str] | None) -> str:
    return host if isinstance(host, str) else ", ".join(host or ())
