"""The options of everything that takes some, with their types.

Made by tools/options.py from the table that every language reads. None stands for an option that is not given.
"""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import TypedDict


class ProxmoxOptions(TypedDict, total=False):
    """A Proxmox VE backend."""

    token_id: str | None
    """The API token's id, USER@REALM!TOKENID."""
    token_secret: str | None
    """The API token's secret, a UUID."""
    username: str | None
    """USER@REALM, in place of a token."""
    password: str | None
    """The user's password."""
    login_ticket: str | None
    """A PVEAuthCookie taken over from another client, with username; in place of password, or beside it. Opening consoles renews it; alone, it is lost after two hours without one."""
    csrf_token: str | None
    """The CSRFPreventionToken that came with login_ticket; without it the ticket is renewed at once to get one."""
    fingerprint: str | Sequence[str] | None
    """SHA-256 fingerprints of the nodes' certificates; then no other certificate is trusted. Case and colons do not matter; not with ca_file or insecure."""
    ca_file: str | PathLike[str] | None
    """A PEM file with the certificate authority to trust in place of the system's, for a cluster its /etc/pve/pve-root-ca.pem; not with fingerprint or insecure."""
    insecure: bool | None
    """Trusts any certificate. Anyone on the path can then take the token; it is logged at every start. The default is false."""
    proxy: str | None
    """The HTTP proxy before the nodes, http://host:port or http://user:password@host:port, for API and consoles; the environment's is never used. It is asked for a host's name, or for one address of a name that has several."""
    timeout: int | None
    """How long one call to the management API, or the handshake of one console, may take. Its refusals alone take 3 seconds. In seconds, 1 to 120. The default is 10."""


class VncOptions(TypedDict, total=False):
    """A plain RFB server as a backend."""

    password: str | None
    """The VNC password, if the server asks for one; its first 8 bytes count."""
    timeout: int | None
    """How long its name may take to look up; connecting is part of the relay's handshake_timeout. In seconds, 1 to 120. The default is 10."""


class RelayOptions(TypedDict, total=False):
    """A relay."""

    listen: str | None
    """The address and port to listen on, in plain HTTP; port 0 takes a free one. TLS is the reverse proxy's. The default is 127.0.0.1:8700."""
    public_url: str | None
    """Where browsers find the relay, with its path prefix: https://portal.example.com/console."""
    allowed_origins: str | Sequence[str] | None
    """The pages that may open a console: exact scheme, host and port. None given means the origin of public_url only."""
    allow_missing_origin: bool | None
    """Accepts clients that send no Origin, that is, programs that are no browsers. The default is false."""
    frame_ancestors: str | Sequence[str] | None
    """The origins whose pages may show the viewer in a frame. None given means none."""
    store: str | None
    """Where opaque passes are kept: memory. The default is memory."""
    pass_key_file: str | PathLike[str] | None
    """A JWK file; the relay then accepts signed passes, and issues them unless it has the public half of a pair alone."""
    marks_dir: str | None
    """A folder where used signed passes are marked, one small file each, so that several processes of one machine may accept them; it must outlive restarts. Without it one process does, and takes none from before its start."""
    max_sessions: int | None
    """How many consoles may be open at once. 1 to 1000000. The default is 1000."""
    max_handshakes: int | None
    """How many connections may be on their way to a console, or idle before it, at once. 1 to 100000. The default is 200."""
    handshake_timeout: int | None
    """How long a browser may take to send its request, and for each answer it owes before the console is up. In seconds, 1 to 120. The default is 10."""
    session_max_age: int | None
    """How long one console may stay open. In seconds, 1 to 2592000. The default is 28800."""
    idle_timeout: int | None
    """How long a console may stay open while the person does nothing; screen updates do not count. In seconds, 1 to 2592000. The default is 3600."""
    ping_interval: int | None
    """How often both sides are pinged; a side that was silent for two intervals is taken for dead. In seconds, 1 to 3600. The default is 25."""
    shutdown_grace: int | None
    """How long a stop waits for browsers to hear why their console ends. In seconds, 0 to 3600. The default is 5."""


class IssuerOptions(TypedDict, total=False):
    """An issuer without a relay."""

    public_url: str | None
    """The public_url of the relay that will take the passes."""
    pass_key_file: str | PathLike[str] | None
    """The JWK file that the relay has as well, or the private half of the pair whose public one it has."""


class PassOptions(TypedDict, total=False):
    """One pass."""

    user: str | None
    """The portal's name for the person, for the log."""
    ttl: int | None
    """How long the pass may wait for its browser. In seconds, 1 to 300. The default is 60."""
    kind: str | None
    """The kind of console: vnc. The default is vnc."""


class PageOptions(TypedDict, total=False):
    """A link to somebody's noVNC page."""

    version: str | None
    """The version of the noVNC that serves the page, 0.5 to 1.7. The default is 1.7."""
    view_only: bool | None
    """The page sends no input. It is the page's own promise, no protection. The default is false."""
    resize: str | None
    """off, scale or remote. The default is scale."""
    with_password: bool | None
    """Puts the VNC password into the link's fragment, so that the page does not ask for it. The default is false."""
    foreign_origin: bool | None
    """Allows a page that the hypervisor itself does not serve: its scripts see the ticket. The default is false."""
