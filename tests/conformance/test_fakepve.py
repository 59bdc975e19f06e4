"""Our client against fakepve (PyPI), a double of Proxmox VE that we did not write.

It differs from the real server where these tests stop:
- It compares the cookie as it comes, while the real server decodes it, and ours sends it percent-encoded as the real web
  interface does. So a user with a password gets as far as the log-in, and consoles are opened with a token.
- Its tickets are those before April 2026 and are bound to no port.
- A stopped guest has a screen; the real server's console of one ends at once.
- It emulates consoles of QEMU guests only.
"""

import ssl
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

import fakepve_server
import rfb
from child import PATIENCE, PROGRAM, Child, consolepass
from fakepve_server import PASSWORD, SCREEN, TOKEN_ID, TOKEN_SECRET, USER

ORIGIN = "https://portal.example.com"
WITH_TOKEN = {"CONSOLEPASS_TOKEN_SECRET": TOKEN_SECRET}


@pytest.fixture(scope="module")
def pve(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fakepve")
    with Child([sys.executable, fakepve_server.__file__, folder]) as server:
        yield server.ready


def open_console(pve, machine, *arguments, environment=None):
    place = ("--host", pve["address"], "--ca-file", pve["ca_file"])
    who = arguments or ("--token-id", TOKEN_ID)
    return consolepass("open", machine, *place, "--show-secrets", *who, environment=environment or WITH_TOKEN)


@pytest.mark.parametrize("machine", ["qemu/101", "101", "pve1/qemu/101"])
def test_a_console_that_we_opened_shows_the_guests_picture(pve, machine):
    status, console = open_console(pve, machine)

    assert status == 0, console
    assert console["machine"] == "pve1/qemu/101"
    assert console["address"] == pve["address"]
    trust = ssl.create_default_context(cafile=pve["ca_file"])
    with connect(
        console["websocket_url"],
        additional_headers=console["headers"],
        subprotocols=["binary"],
        compression=None,
        ssl=trust,
        open_timeout=PATIENCE,
    ) as socket:
        stream = rfb.Stream(socket)
        assert rfb.security_types(stream) == [rfb.VNC_AUTHENTICATION]
        assert rfb.log_in(stream, console["password"]) == rfb.OK
        assert rfb.picture(stream) == SCREEN


def test_a_console_shows_no_secret_unless_it_is_asked_to(pve):
    place = ("--host", pve["address"], "--ca-file", pve["ca_file"], "--token-id", TOKEN_ID)

    status, console = consolepass("open", "qemu/101", *place, environment=WITH_TOKEN)

    assert status == 0
    shown = str(console)
    assert TOKEN_SECRET not in shown
    assert "vncticket" not in shown


def test_a_guest_that_is_not_there_is_said_to_be_missing(pve):
    status, answer = open_console(pve, "qemu/999")

    assert status == 1
    assert answer["error"]["code"] == "machine_not_found"


def test_a_guest_of_the_other_type_is_said_to_be_missing(pve):
    status, answer = open_console(pve, "lxc/101")

    assert status == 1
    assert answer["error"]["code"] == "machine_not_found"
    assert "101 is qemu/101" in answer["error"]["message"]


def test_a_wrong_token_secret_is_refused_and_not_repeated_back(pve):
    status, answer = open_console(pve, "101", environment={"CONSOLEPASS_TOKEN_SECRET": "wrong-secret"})

    assert status == 1
    assert answer["error"]["code"] == "auth_failed"
    assert "wrong-secret" not in str(answer)


def test_a_wrong_password_is_refused_at_the_log_in(pve):
    status, answer = open_console(
        pve, "101", "--username", USER, environment={"CONSOLEPASS_PASSWORD": "wrong-password"}
    )

    assert status == 1
    assert answer["error"]["code"] == "auth_failed"
    assert "the login of root@pam was refused" in answer["error"]["message"]
    assert "wrong-password" not in str(answer)


def test_a_right_password_gets_past_the_log_in(pve):
    """As far as fakepve can take us: it does not decode the cookie."""
    status, answer = open_console(pve, "101", "--username", USER, environment={"CONSOLEPASS_PASSWORD": PASSWORD})

    assert status == 1
    assert "permission denied - invalid PVE ticket" in answer["error"]["message"]
    assert "login" not in answer["error"]["message"]


def test_its_certificate_is_not_trusted_without_a_word(pve):
    status, answer = consolepass(
        "open", "101", "--host", pve["address"], "--token-id", TOKEN_ID, environment=WITH_TOKEN
    )

    assert status == 1
    assert answer["error"]["code"] == "tls_untrusted"


def test_its_certificate_is_trusted_by_its_fingerprint(pve):
    place = ("--host", pve["address"], "--token-id", TOKEN_ID)
    _, refused = consolepass("open", "101", *place, environment=WITH_TOKEN)
    seen = refused["error"]["fingerprint"]

    status, console = consolepass("open", "101", *place, "--fingerprint", seen, environment=WITH_TOKEN)

    assert status == 0, console


@pytest.fixture
def relay(pve, tmp_path):
    """A relay before fakepve; yields its address and a function that issues a pass."""
    key = tmp_path / "pass.jwk"
    # With a folder of marks a relay takes passes at once, and need not fear those from before its start.
    marks = tmp_path / "marks"
    marks.mkdir()
    config = tmp_path / "consolepass.toml"
    assert consolepass("pass", "--new-key", str(key))[0] == 0
    config.write_text(
        f"""
[relay]
listen = "127.0.0.1:0"
public_url = "{ORIGIN}/console"
pass_key_file = "{key}"
marks_dir = "{marks}"

[backend.dc1]
type = "proxmox"
host = "{pve["address"]}"
ca_file = "{pve["ca_file"]}"
token_id = "{TOKEN_ID}"
token_secret_env = "DC1_TOKEN_SECRET"
""",
        encoding="utf-8",
    )

    with Child([PROGRAM, "relay", "--config", config, "--json"], {"DC1_TOKEN_SECRET": TOKEN_SECRET}) as started:

        def address_with_pass(machine: str) -> str:
            status, issued = consolepass("pass", "--config", str(config), "--backend", "dc1", "--machine", machine)
            assert status == 0, issued
            place = urlsplit(issued["url"])
            return f"ws://{started.ready['address']}{place.path}?{place.query}"

        yield address_with_pass


def test_a_browser_gets_the_picture_through_our_relay_and_no_secret(relay):
    address = relay("qemu/101")

    with connect(address, origin=ORIGIN, subprotocols=["binary"], compression=None, open_timeout=PATIENCE) as socket:
        stream = rfb.Stream(socket)
        assert rfb.security_types(stream) == [rfb.NONE]
        assert rfb.choose_none(stream) == rfb.OK
        assert rfb.picture(stream) == SCREEN


def reason_of_the_end(address):
    """Greets as a browser's noVNC would, and reads until the relay closes: the word it closes with."""
    with pytest.raises(ConnectionClosed) as closed:
        with connect(address, origin=ORIGIN, subprotocols=["binary"], compression=None) as socket:
            stream = rfb.Stream(socket)
            stream.read(12)
            stream.write(rfb.BANNER)
            while True:
                stream.read(1)
    return closed.value.rcvd.reason


def test_a_pass_opens_one_console(relay):
    address = relay("qemu/101")
    with connect(address, origin=ORIGIN, subprotocols=["binary"], compression=None) as first:
        rfb.security_types(rfb.Stream(first))

    assert reason_of_the_end(address) == "pass_used"


def test_a_guest_that_is_not_there_is_told_to_the_browser_in_a_word(relay):
    assert reason_of_the_end(relay("qemu/999")) == "machine_not_found"
