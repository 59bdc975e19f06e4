"""The shared vectors through the public API: see tests/vectors/README.md."""

import asyncio
import datetime
import json
import re
import socket
from pathlib import Path

import pytest

import consolepass
import consolepass.aio
from child import PROGRAM, Child

FOLDER = Path(__file__).resolve().parents[3] / "tests/vectors"
# A folder that lost its files must not pass.
FEWEST = {"proxmox": 100, "links": 200}
PASS = re.compile(r"[A-Za-z0-9\-._~]+")


def found(prefix):
    for path in sorted(FOLDER.glob(f"{prefix}*.json")):
        for vector in json.loads(path.read_text()):
            yield pytest.param(path, vector, id=f"{path.stem}: {vector['name']}")


@pytest.mark.parametrize("prefix", FEWEST)
def test_there_are_vectors(prefix):
    assert len(list(found(prefix))) >= FEWEST[prefix]


@pytest.mark.parametrize(("path", "vector"), list(found("proxmox")))
def test_of_proxmox(path, vector, tmp_path):
    play(path, vector, consolepass, tmp_path)


@pytest.mark.parametrize(("path", "vector"), list(found("proxmox-open")))
def test_of_proxmox_with_asyncio(path, vector, tmp_path):
    play(path, vector, consolepass.aio, tmp_path)


@pytest.mark.parametrize(("path", "vector"), list(found("links")))
def test_of_links(path, vector, tmp_path):
    if vector.get("listen") == "::1" and not has_ipv6():
        print("left out: this machine has no ::1")
        return
    play(path, vector, consolepass, tmp_path)


def play(path, vector, module, tmp_path):
    vector = dict(vector)
    # No server is asked for what needs none.
    if vector.get("backend") != "proxmox":
        check(vector, module, tmp_path, {})
        return
    with Child([PROGRAM, "emulate", "script", path, "--name", vector["name"], "--stay", "--json"]) as player:
        address, fingerprint = player.ready["address"], player.ready.get("fingerprint") or ""
        place = {"address": address, "port": address.rsplit(":", 1)[1], "fingerprint": fingerprint}
        check(vector, module, tmp_path, place)
        status = player.stop()
        # What a player without TLS heard was a greeting that no script has.
        assert status == 0 or vector.get("tls") == "none", player.words()


def check(vector, module, tmp_path, place):
    made = Made(vector, module, tmp_path, place)
    try:
        value, error = made.call(), None
    except consolepass.Error as raised:
        value, error = None, raised

    for secret in made.secrets():
        assert secret not in made.shown(error), f"{secret} is shown"
    if "error" in vector:
        assert error is not None, f"it came to {type(value)}"
        check_error(made.filled(vector["error"]), error)
    elif error is not None:
        raise AssertionError(f"{error.code}: {error}") from error
    elif isinstance(value, consolepass.Console):
        check_console(made.filled(vector["result"]), value, place["address"])
    elif isinstance(value, consolepass.RfbParameters):
        assert {"url": value.url, "password": value.password} == made.filled(vector["result"])
    else:
        assert value == made.filled(vector["result"])


class Made:
    """Everything that a vector's call makes, so that all of it can be searched for secrets."""

    def __init__(self, vector, module, tmp_path, place):
        self.vector, self.module, self.tmp_path, self.place = vector, module, tmp_path, place
        self.values = []

    def call(self):
        ((name, given),) = self.vector["call"].items()
        if name in ("cloudtower_direct", "cloudtower_via"):
            given = dict(given)
            host = given.pop("cluster_ip" if name == "cloudtower_direct" else "cloudtower")
            return getattr(self.module, name)(host, **given)
        return self.then(self.opened(given) if name == "open" else self.issued(given), given.get("then"))

    def opened(self, given):
        options = self.filled(self.vector.get("options", {}))
        options.setdefault("host", self.place["address"])
        trusted = {"fingerprint", "ca_file", "insecure"} & set(options)
        if self.vector.get("tls", "pinned") == "pinned" and not trusted:
            options["fingerprint"] = self.place["fingerprint"]
        backend = self.keep(self.module.Proxmox(**options))
        return self.keep(self.run(backend.open(given["machine"], given.get("kind", "vnc"))))

    def issued(self, given):
        options = self.filled(self.vector.get("options", {}))
        if "pass_key" in self.vector:
            key = self.tmp_path / "pass.jwk"
            key.write_text(json.dumps(self.vector["pass_key"]))
            options["pass_key_file"] = key
        issuer = self.keep(self.module.Issuer(**options))
        issued = self.keep(self.run(issuer.issue(given["backend"], given["machine"], **given.get("options", {}))))
        text = issued.url.partition("pass=")[2]
        assert PASS.fullmatch(text)
        self.place = {**self.place, "pass": text}
        return issued

    def then(self, value, then):
        if not then:
            return value
        ((name, given),) = then.items()
        if name == "novnc_url":
            return value.novnc_url(self.filled(given["page"]), **self.filled(given.get("options", {})))
        if name == "rfb_parameters":
            return self.keep(value.rfb_parameters())
        return getattr(value, name)

    def run(self, value):
        return asyncio.run(value) if asyncio.iscoroutine(value) else value

    def keep(self, value):
        self.values.append(value)
        return value

    def filled(self, value):
        if isinstance(value, str):
            for name, text in self.place.items():
                value = value.replace("{%s}" % name, text)
            return value
        if isinstance(value, list):
            return [self.filled(item) for item in value]
        if isinstance(value, dict):
            return {name: self.filled(item) for name, item in value.items()}
        return value

    def shown(self, error):
        words = [repr(value) + str(value) for value in self.values]
        while error is not None:
            words += [repr(error), str(error), str(getattr(error, "hint", "")), str(getattr(error, "__dict__", ""))]
            error = error.__cause__
        return "\n".join(words)

    def secrets(self):
        options = self.vector.get("options", {})
        secrets = [options.get(name) for name in ("token_secret", "password", "login_ticket", "csrf_token")]
        for exchange in self.vector.get("exchanges", []):
            data = exchange["response"].get("json")
            data = data.get("data") if isinstance(data, dict) else None
            if isinstance(data, dict):
                secrets += [data.get(name) for name in ("ticket", "password", "CSRFPreventionToken")]
        secrets.append(self.vector.get("pass_key", {}).get("k"))
        secrets.append(self.place.get("pass"))
        ((_, given),) = self.vector["call"].items()
        secrets += [given.get("token"), given.get("raw_token")]
        for value in self.values:
            if isinstance(value, consolepass.Console) and value.websocket_url:
                secrets += [value.websocket_url, value.websocket_url.partition("vncticket=")[2]]
        # Shorter ones would be found in any sentence.
        return [secret for secret in secrets if isinstance(secret, str) and len(secret) >= 8]


def check_console(expected, console, address):
    assert console.machine == expected["machine"]
    assert console.kind == expected["kind"]
    assert console.websocket_url == expected.get("websocket_url")
    assert console.password == expected.get("password")
    assert {name.lower(): value for name, value in console.headers.items()} == {
        name.lower(): value for name, value in expected["headers"].items()
    }
    assert console.address == address
    left = console.expires_at - datetime.datetime.now(datetime.timezone.utc)
    assert datetime.timedelta() < left <= datetime.timedelta(seconds=expected["expires_within"])


def check_error(expected, error):
    assert error.code == expected["code"], error
    assert type(error) is consolepass._errors.CLASSES[error.code]
    if "http_status" in expected:
        assert error.http_status == expected["http_status"], error
    for part in expected.get("message_contains", []):
        assert part in str(error)
    for part in expected.get("hint_contains", []):
        assert part in error.hint
    if "fingerprint" in expected:
        assert error.fingerprint == expected["fingerprint"]


def has_ipv6():
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


