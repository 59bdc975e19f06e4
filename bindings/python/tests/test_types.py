"""The types: of the package itself, against the native half, and as a portal that checks its own sees them."""

import inspect
import os
import re
import subprocess
import sys
import typing
from pathlib import Path

import pytest

import consolepass
from consolepass import aio
from program import run

HERE = Path(__file__).resolve().parent
BINDING = HERE.parent
PACKAGE = BINDING / "python"


def mypy(*arguments, tmp_path):
    environment = {**os.environ, "MYPYPATH": str(PACKAGE), "PYTHONPATH": str(PACKAGE), "MYPY_CACHE_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", *arguments], env=environment, cwd=BINDING, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.timeout(180)
def test_the_package_is_strictly_typed(tmp_path):
    status, words = mypy("mypy", "--config-file", "pyproject.toml", "python/consolepass", tmp_path=tmp_path)

    assert status == 0, words


@pytest.mark.timeout(180)
def test_the_stubs_are_what_the_native_half_has(tmp_path):
    status, words = mypy("mypy.stubtest", "--ignore-disjoint-bases", "consolepass._native", tmp_path=tmp_path)

    assert status == 0, words


PORTAL = """
import asyncio
import consolepass
from consolepass import aio

pve = consolepass.Proxmox("pve", token_id="a@pve!b", token_secret="c", fingerprint=["AB:CD"], timeout=5, insecure=None)
several = consolepass.Proxmox(["pve1", "pve2"], username="a@pam", password="b", ca_file=None)
console = pve.open("qemu/101")
reveal_type(console)
reveal_type(console.password)
reveal_type(console.headers)
reveal_type(console.expires_at)
with consolepass.Relay({"dc1": pve}, public_url="https://p/console", max_sessions=5) as relay:
    reveal_type(relay)
    issued = relay.issue("dc1", "qemu/101", user="42", ttl=60)
    reveal_type(issued.viewer_url)
    for event in relay.events(timeout=1.5):
        reveal_type(event.what)
    reveal_type(relay.revoke(issued))
reveal_type(consolepass.Proxmox.from_proxmoxer(object()))

async def main() -> None:
    async with aio.Relay({"dc1": aio.Proxmox("pve")}, public_url="https://p") as relay:
        reveal_type(relay)
        reveal_type(await relay.issue("dc1", "qemu/101"))
        async for event in relay.events():
            reveal_type(event)

try:
    asyncio.run(main())
except consolepass.TlsUntrusted as error:
    reveal_type(error.fingerprint)
"""
REVEALED = [
    "consolepass._native.Console",
    "str | None",
    "dict[str, str]",
    "datetime.datetime",
    "consolepass.Relay",
    "str",
    "Literal['taken'] | Literal['connected'] | Literal['ended'] | Literal['lost'] | Literal['other']",
    "bool",
    "consolepass.Proxmox",
    "consolepass.aio.Relay",
    "consolepass._native.Pass",
    "consolepass._events.Event",
    "str | None",
]
WRONG = {
    "consolepass.Proxmox('pve', tokenid='x')": "tokenid",
    "consolepass.Proxmox('pve', timeout='5')": "timeout",
    "consolepass.Proxmox('pve').open(101)": "arg-type",
    "consolepass.Relay({'dc1': 5}, public_url='x')": "dict-item",
    "consolepass.Relay({}, public_url='x').issue('dc1', 'qemu/101', tll=5)": "tll",
    "consolepass.Proxmox('pve').open('qemu/101').secret": "attr-defined",
}


@pytest.mark.timeout(180)
def test_a_portal_sees_every_type_and_every_mistake(tmp_path):
    portal = tmp_path / "portal.py"
    portal.write_text(PORTAL)
    mistakes = tmp_path / "mistakes.py"
    mistakes.write_text("import consolepass\n" + "\n".join(WRONG) + "\n")

    status, words = mypy("mypy", "--strict", str(portal), tmp_path=tmp_path)
    _, wrong = mypy("mypy", "--strict", str(mistakes), tmp_path=tmp_path)

    assert status == 0, words
    assert re.findall(r'Revealed type is "(.*)"', words) == REVEALED
    for line, what in enumerate(WRONG.values(), 2):
        assert re.search(rf"mistakes.py:{line}: error: .*{what}", wrong), (what, wrong)


def functions(module):
    """Every function of the package's own classes, with the class that has it."""
    for name in module.__all__:
        kind = getattr(module, name)
        for base in getattr(kind, "__mro__", ()):
            if base.__module__.startswith("consolepass") and "_native" not in base.__module__:
                for member in vars(base).values():
                    function = getattr(member, "fget", None) or getattr(member, "__func__", member)
                    if inspect.isfunction(function):
                        yield kind, function


@pytest.mark.parametrize("module", [consolepass, aio], ids=["consolepass", "aio"])
def test_the_types_can_be_read_at_run_time(module):
    """Frameworks that inject and that make documentation do so."""
    seen = {f"{kind.__name__}.{function.__name__}" for kind, function in functions(module) if typing.get_type_hints(function)}

    assert {"Proxmox.__init__", "Proxmox.open", "Proxmox.from_env", "Relay.__init__", "Relay.issue", "Relay.asgi", "Issuer.issue", "Events.next"} <= seen
    assert typing.get_type_hints(module.Relay.issue)["return"] is consolepass.Pass


def test_the_types_need_nothing_else_at_run_time():
    source = """
    import sys, typing
    # As if it were not installed.
    sys.modules["typing_extensions"] = None
    import consolepass
    from consolepass import aio
    for function in (consolepass.Relay.issue, aio.Relay.issue, consolepass.Relay.__enter__, aio.Proxmox.from_env):
        print(sorted(typing.get_type_hints(function)))
    """
    status, output, errors = run(source)

    assert (status, errors) == (0, "")
    assert output.split("\n")[0] == "['backend', 'machine', 'options', 'return']"
