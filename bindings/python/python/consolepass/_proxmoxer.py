"""Taking an account over from proxmoxer.

proxmoxer is not imported: whoever gives us one of its objects has it. What is read is the same in its versions 2.0 to 2.3.
"""

from __future__ import annotations

import math
import re
from typing import Any
from urllib.parse import urlsplit

from ._errors import invalid, unsupported

API = "/api2/json"
# Seconds. proxmoxer's own, which nobody chose.
DEFAULT_TIMEOUT = 5


def options(api: Any) -> tuple[dict[str, Any], str | None]:
    """The options that a `ProxmoxAPI` or one of its resources stands for, and the machine that the resource is of."""
    store = getattr(api, "_store", None)
    if not isinstance(store, dict) or "base_url" not in store or "session" not in store:
        raise invalid("proxmoxer", f"must be a ProxmoxAPI of proxmoxer or one of its resources, not {type(api).__name__}")
    session = store["session"]
    auth = getattr(session, "auth", None)
    if getattr(api, "_backend_name", "https") != "https" or auth is None or not hasattr(auth, "verify_ssl"):
        name = getattr(api, "_backend_name", None) or type(session).__name__
        raise unsupported(
            f"proxmoxer: its backend {name!r} runs pvesh, which gives no login that a console's websocket would accept",
            "use proxmoxer's https backend, with an API token",
        )
    if getattr(auth, "service", "PVE") != "PVE":
        raise unsupported(f"proxmoxer: this is a client of {auth.service}, which has no consoles", "take one of Proxmox VE")
    host, path = _place(store["base_url"])
    found = {"host": host, **_account(auth), **_network(session, auth, store["base_url"])}
    return found, _machine(path)


def _place(url: str) -> tuple[str, str]:
    """What is before the API's path, and what is behind it."""
    before, _, path = url.partition(API)
    parts = urlsplit(before)
    # A prefix that was given with slashes has too many.
    prefix = re.sub("/+", "/", parts.path).rstrip("/")
    return f"https://{parts.netloc}{prefix}", path


def _machine(path: str) -> str | None:
    match path.strip("/").split("/"):
        case ["nodes", node, ("qemu" | "lxc") as guest, number, *_]:
            return f"{node}/{guest}/{number}"
        case ["nodes", node, *_]:
            return f"node/{node}"
    return None


def _account(auth: Any) -> dict[str, object]:
    if hasattr(auth, "token_name"):
        return {"token_id": f"{auth.username}!{auth.token_name}", "token_secret": auth.token_value}
    ticket, csrf = auth.get_tokens()
    if not ticket:
        raise invalid("proxmoxer", "it has neither an API token nor a login")
    return {"username": auth.username, "login_ticket": ticket, "csrf_token": csrf or None}


def _network(session: Any, auth: Any, url: str) -> dict[str, object]:
    """Trust, proxy and patience, as requests would have them for this URL."""
    settings = session.merge_environment_settings(url, {}, None, auth.verify_ssl, None)
    if getattr(auth, "cert", None) or settings.get("cert"):
        # A proxy's password may be in it.
        del settings
        raise unsupported("proxmoxer: it logs in with a client certificate", "use an API token")
    network: dict[str, object] = {}
    if not settings["verify"]:
        network["insecure"] = True
    elif settings["verify"] is not True:
        network["ca_file"] = settings["verify"]
    if proxy := _proxy(settings["proxies"], urlsplit(url)):
        network["proxy"] = proxy
    if isinstance(auth.timeout, (int, float)) and auth.timeout != DEFAULT_TIMEOUT:
        network["timeout"] = max(1, min(120, math.ceil(auth.timeout)))
    return network


def _proxy(proxies: Any, parts: Any) -> str | None:
    host = parts.hostname or ""
    for key in (f"https://{host}", "https", f"all://{host}", "all"):
        if proxies and proxies.get(key):
            proxy = str(proxies[key])
            return proxy if "://" in proxy else f"http://{proxy}"
    return None
