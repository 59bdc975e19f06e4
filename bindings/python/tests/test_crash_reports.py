"""What reporters of crashes do with our errors: they show the local variables of every frame, with `repr`."""

import asyncio
import traceback
from pathlib import Path

import pytest

import consolepass
from browser import PUBLIC_URL
from consolepass import _environment, aio

PACKAGE = str(Path(consolepass.__file__).parent)
SECRET = "hunter2-hunter2-hunter2"
ACCOUNT = {"token_id": "portal@pve!console", "token_secret": SECRET}
ENVIRONMENT = {"HOST": "pve", "TOKEN_ID": ACCOUNT["token_id"], "TOKEN_SECRET": SECRET}


class Auth:
    verify_ssl, timeout, cert = True, 5, None
    username, token_name, token_value = "portal@pve", "console", SECRET


class Session:
    auth = Auth()

    def __init__(self, **settings):
        self._settings = {"verify": True, "proxies": {"https": f"http://user:{SECRET}@proxy"}, "cert": None, **settings}

    def merge_environment_settings(self, *_):
        return self._settings


class Api:
    """As proxmoxer has it."""

    def __init__(self, **settings):
        self._store = {"base_url": "https://pve:8006/api2/json", "session": Session(**settings)}


class Late(consolepass.Proxmox):
    """A portal's own class, which forgot what its base is for."""

    def __init__(self):
        pass


def run(coroutine):
    return asyncio.run(coroutine)


def reported(error):
    """Every frame of ours, as a reporter has it."""
    report = traceback.TracebackException.from_exception(error, capture_locals=True)
    "".join(report.format())
    frames = [frame for frame in report.stack if frame.filename.startswith(PACKAGE)]
    return {frame.name: frame.locals or {} for frame in frames}


def refused(call):
    with pytest.raises(Exception) as raised:  # noqa: PT011
        call()
    return raised.value


CALLS = {
    "Proxmox": lambda _: consolepass.Proxmox("pve", **ACCOUNT, timeout=0),
    "Proxmox with a secret in its host": lambda _: consolepass.Proxmox(f"https://root:{SECRET}@pve:8006/x y"),
    "Proxmox with a secret in an unknown option": lambda _: consolepass.Proxmox("pve", tokensecret=SECRET),
    "aio.Proxmox": lambda _: aio.Proxmox("pve", **ACCOUNT, timeout=0),
    "Vnc": lambda _: consolepass.Vnc("pve", password=SECRET, timeout=0),
    "aio.Vnc": lambda _: aio.Vnc("pve", password=SECRET, timeout=0),
    "from_env": lambda _: consolepass.Proxmox.from_env(timeout=0),
    "from_env with another secret": lambda _: aio.Proxmox.from_env(password=SECRET),
    "from_proxmoxer": lambda _: consolepass.Proxmox.from_proxmoxer(Api(), timeout=0),
    "from_proxmoxer with a client's certificate": lambda _: consolepass.Proxmox.from_proxmoxer(Api(cert="c.pem")),
    "from_proxmoxer of something else": lambda _: aio.Proxmox.from_proxmoxer(object(), token_secret=SECRET),
    "Relay": lambda _: consolepass.Relay({}, public_url=PUBLIC_URL, store=f"redis://:{SECRET}@redis", max_sessions=0),
    "aio.Relay": lambda _: aio.Relay({}, public_url=PUBLIC_URL, store=f"redis://:{SECRET}@redis", max_sessions=0),
    "Relay with options in place of a backend": lambda _: consolepass.Relay({"dc1": ACCOUNT}, public_url=PUBLIC_URL),
    "Issuer": lambda _: consolepass.Issuer(public_url=PUBLIC_URL, token_secret=SECRET),
    "aio.Issuer": lambda _: aio.Issuer(public_url=PUBLIC_URL, token_secret=SECRET),
    "open": lambda made: made.proxmox.open("nothing/101"),
    "open of what is not there": lambda made: made.proxmox.open("qemu/999"),
    "aio open": lambda made: run(made.awaited.open("qemu/999")),
    "issue": lambda made: made.relay.issue("dc1", "nothing/101"),
    "aio issue": lambda made: run(made.awaited_relay.issue("dc1", "nothing/101")),
    "Issuer.issue": lambda made: made.issuer.issue("dc1", "nothing/101"),
    "revoke": lambda made: made.relay.revoke(f"{PUBLIC_URL}/ws?pass={SECRET}"),
    "aio revoke": lambda made: run(made.awaited_relay.revoke(f"{PUBLIC_URL}/ws?pass={SECRET}")),
}


class Made:
    def __init__(self, account, key_file):
        self.proxmox = consolepass.Proxmox(**account)
        self.awaited = aio.Proxmox(**account)
        self.relay = consolepass.Relay({"dc1": self.proxmox}, public_url=PUBLIC_URL)
        self.awaited_relay = aio.Relay({"dc1": self.awaited}, public_url=PUBLIC_URL)
        self.issuer = consolepass.Issuer(public_url=PUBLIC_URL, pass_key_file=key_file)


@pytest.mark.parametrize("call", CALLS)
def test_no_frame_of_ours_holds_a_secret(account, key_file, monkeypatch, call):
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(f"PROXMOX_{name}", value)
    account = {**account}
    made = Made(account, key_file)

    error = refused(lambda: CALLS[call](made))

    assert isinstance(error, consolepass.Error), error
    held = reported(error)
    assert held
    for name, variables in held.items():
        assert not any(SECRET in shown or account["token_secret"] in shown for shown in variables.values()), (name, variables)


def test_no_frame_of_ours_holds_a_secret_of_a_wrong_environment():
    variables = {f"PROXMOX_{name}": value for name, value in ENVIRONMENT.items()}
    for name in ("VERIFY_SSL", "INSECURE"):
        error = refused(lambda wrong=name: _environment.options({**variables, f"PROXMOX_{wrong}": "perhaps"}))

        held = reported(error)
        # This test's own; at work it is None.
        del held["options"]["environment"]
        assert "perhaps" in str(error) and held and SECRET not in str(held)


@pytest.mark.parametrize("name", ["Proxmox", "Vnc", "Relay", "Issuer"])
def test_what_was_not_made_can_be_shown(name):
    for kind in (getattr(consolepass, name), getattr(aio, name)):
        assert repr(kind.__new__(kind)) == f"<{kind.__module__}.{name}, not made>"


def test_an_object_of_a_class_that_forgot_its_base_can_be_shown():
    assert repr(Late()).endswith("Late, not made>")


def test_an_object_whose_constructor_fails_is_in_the_report():
    held = reported(refused(lambda: consolepass.Proxmox("pve", **ACCOUNT, timeout=0)))

    assert held["__init__"]["self"] == "<consolepass.Proxmox, not made>"
