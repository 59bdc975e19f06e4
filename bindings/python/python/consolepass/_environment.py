"""Options from the environment, by the names that other tools read as well."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ._errors import invalid

# The first that is set counts.
PREFIXES = ("PROXMOX_", "PROXMOX_VE_", "PVE_")
HOST = ("HOST", "URL", "ENDPOINT", "BASE_URL")
USER = ("USER", "USERNAME")
TOKEN_ID = ("TOKEN_ID", "TOKENID")
WORDS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


def options(environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The options of a Proxmox VE backend."""
    found = _Variables(os.environ if environment is None else environment)
    host = found.first(*HOST)
    if host is None:
        raise invalid("environment", "none of PROXMOX_HOST, PROXMOX_URL, PVE_HOST and their like is set")
    options: dict[str, Any] = {
        "host": _with_port(host, found.first("PORT")),
        "fingerprint": found.first("FINGERPRINT"),
        "ca_file": found.first("CA_FILE"),
    }
    if found.truth("INSECURE") is True:
        options["insecure"] = True
    verify = found.first("VERIFY_SSL")
    if verify is not None:
        # As requests has it, a path in place of a truth value is an authority to trust.
        if "/" in verify:
            options["ca_file"] = verify
        elif found.truth("VERIFY_SSL") is False:
            options["insecure"] = True
    # Last: nothing fails any more that would show the secrets beside it.
    options.update(_account(found))
    return {name: value for name, value in options.items() if value is not None}


def _account(found: _Variables) -> dict[str, object]:
    user, password = found.first(*USER), found.first("PASSWORD")
    token, secret = found.first(*TOKEN_ID), found.first("TOKEN_SECRET")
    whole = found.first("API_TOKEN")
    if whole is not None and token is None:
        token, _, secret = whole.removeprefix("PVEAPIToken=").partition("=")
    if token is None:
        return {"username": user, "password": password}
    if "!" not in token and user is not None:
        # proxmoxer and others keep the user and the token's name apart.
        token = f"{user}!{token}"
    # A user beside its token is no second account; a password is one, and which is meant nobody can tell.
    return {"token_id": token, "token_secret": secret, "username": user if password else None, "password": password}


def _with_port(host: str, port: str | None) -> str:
    if port is None:
        return host
    if "://" in host:
        scheme, _, rest = host.partition("://")
        authority, slash, path = rest.partition("/")
        return f"{scheme}://{_with_port(authority, port)}{slash}{path}"
    if host.startswith("["):
        return host if "]:" in host else f"{host}:{port}"
    colons = host.count(":")
    if colons == 0:
        return f"{host}:{port}"
    return host if colons == 1 else f"[{host}]:{port}"


class _Variables:
    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def first(self, *names: str) -> str | None:
        return self._found(names)[1]

    def truth(self, name: str) -> bool | None:
        variable, value = self._found((name,))
        if value is None:
            return None
        if value.lower() not in WORDS:
            raise invalid(variable, f"{value!r}: must be true or false")
        return WORDS[value.lower()]

    def _found(self, names: tuple[str, ...]) -> tuple[str, str | None]:
        for prefix in PREFIXES:
            for name in names:
                # One that is set to nothing is as good as not set.
                if value := self._environment.get(prefix + name):
                    return prefix + name, value
        return "", None
