"""What a page of noVNC does with its address, transcribed from the pages and not from anything that writes links.

Sources: include/ui.js and include/webutil.js (0.5), app/ui.js and app/webutil.js (0.6 to 1.7), vnc_auto.html, vnc_lite.html.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

# The words that a check box takes for no; anything else is yes.
NO = ("0", "no", "false")
# The worst that a page's localStorage can hold from another day.
REMEMBERED = {"host": "evil.example", "port": "1", "path": "evil", "encrypt": "false", "view_only": "true",
              "resize": "remote", "reconnect": "true"}

Variable = Callable[[str], str | None]


@dataclass(frozen=True)
class Opened:
    """What the page connects to, and how it shows it. `size` is off, scale or remote."""

    websocket: str
    password: str | None
    view_only: bool
    size: str
    connects: bool
    reconnects: bool


def open_page(link: str, version: tuple[int, int]) -> Opened:
    """Opens the link in the page that it names, of this version."""
    page = urlsplit(link).path.rsplit("/", 1)[-1]
    if page == "vnc.html":
        return _vnc(link, _query(link) if version < (0, 6) else _fragment_first(link), version)
    if page == "vnc_auto.html" and version < (1, 0):
        return _vnc_auto(link, _query(link) if version < (0, 6) else _fragment_first(link))
    if page == "vnc_lite.html" and version >= (1, 0):
        return _vnc_lite(link, _query(link) if version >= (1, 1) else _fragment_first(link), version)
    raise AssertionError(f"noVNC {version} has no {page}")


def _query(link: str) -> Variable:
    """The whole address is searched, and of several values the last is taken."""

    def variable(name: str) -> str | None:
        found = re.match(rf".*[?&]{name}=([^&#]*)", link)
        return unquote(found[1], errors="strict") if found else None

    return variable


def _fragment_first(link: str) -> Variable:
    fragment = link[link.index("#"):] if "#" in link else ""

    def variable(name: str) -> str | None:
        found = re.match(rf".*[&#]{name}=([^&]*)", fragment)
        return unquote(found[1], errors="strict") if found else _query(link)(name)

    return variable


def _vnc(link: str, variable: Variable, version: tuple[int, int]) -> Opened:
    def setting(name: str) -> str:
        given = variable(name)
        return REMEMBERED[name] if given is None else given

    def is_checked(name: str) -> bool:
        return setting(name).lower() not in NO

    scheme = "wss" if is_checked("encrypt") else "ws"
    return Opened(
        websocket=f"{scheme}://{setting('host')}:{setting('port')}/{setting('path')}",
        password=variable("password"),
        view_only=is_checked("view_only"),
        size=setting("resize"),
        connects=variable("autoconnect") in ("1", "true"),
        # Before 1.0 no page did.
        reconnects=version >= (1, 0) and is_checked("reconnect"),
    )


def _vnc_auto(link: str, variable: Variable) -> Opened:
    page = urlsplit(link)

    def is_true(name: str, *, default: bool) -> bool:
        given = variable(name)
        return default if given is None else bool(given) and given not in NO

    scheme = "wss" if is_true("encrypt", default=page.scheme == "https") else "ws"
    return Opened(
        websocket=f"{scheme}://{variable('host')}:{variable('port')}/{variable('path')}",
        password=variable("password"),
        view_only=is_true("view_only", default=False),
        # Any text is true here, even `off`.
        size="remote" if variable("resize") else "off",
        connects=True,
        reconnects=False,
    )


def _vnc_lite(link: str, variable: Variable, version: tuple[int, int]) -> Opened:
    encrypts = urlsplit(link).scheme == "https"
    can_more = version < (1, 1)
    if can_more and variable("encrypt") is not None:
        encrypts = bool(variable("encrypt"))
    # Any text is true in this page.
    remote, scale = can_more and variable("resize"), variable("scale")
    return Opened(
        websocket=f"{'wss' if encrypts else 'ws'}://{variable('host')}:{variable('port')}/{variable('path')}",
        password=variable("password"),
        view_only=bool(variable("view_only")),
        size="remote" if remote else "scale" if scale else "off",
        connects=True,
        reconnects=False,
    )
