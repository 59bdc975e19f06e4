"""No secret in anything that shows, keeps or hands on a value; each has an accessor of its own."""

import copy
import json
import logging
import pickle
import pprint
import traceback

import pytest

import consolepass
import consolepass.aio
from browser import PUBLIC_URL
from pve import PASSWORD, TOKEN_ID, TOKEN_SECRET, USER


@pytest.fixture
def values(account, pve, key_file):
    """One of everything, and every secret that is in it."""
    proxmox = consolepass.Proxmox(**account)
    by_password = consolepass.aio.Proxmox(pve.address, username=USER, password=PASSWORD, ca_file=pve.ca_file)
    vnc = consolepass.Vnc("127.0.0.1:1", password="12345678")
    relay = consolepass.Relay({"dc1": proxmox, "vnc": vnc}, listen="127.0.0.1:0", public_url=PUBLIC_URL)
    console, issued = proxmox.open("qemu/101"), relay.issue("dc1", "qemu/101")
    issuer = consolepass.Issuer(public_url=PUBLIC_URL, pass_key_file=key_file)
    signed = issuer.issue("dc1", "qemu/101")
    shown = [proxmox, by_password, vnc, relay, relay.asgi, relay.wsgi, console, issued, issuer, signed]
    shown += [console.rfb_parameters(), issued.rfb_parameters(), relay.events(), proxmox._native, relay._native]
    secrets = [TOKEN_SECRET, PASSWORD, "12345678", console.password, json.loads(key_file.read_text())["k"]]
    secrets += [console.websocket_url.partition("vncticket=")[2], console.headers["authorization"]]
    secrets += [one.url.partition("pass=")[2] for one in (issued, signed)]
    assert all(len(secret) >= 8 for secret in secrets)
    return shown, secrets


def test_nothing_shows_a_secret(values):
    shown, secrets = values
    for value in shown:
        words = [repr(value), str(value), f"{value}", "%s %r" % (value, value), pprint.pformat(value), repr([value])]
        words.append(repr(dir(value)))
        with pytest.raises(TypeError):
            vars(value)
        with pytest.raises(TypeError):
            json.dumps(value)
        for secret in secrets:
            assert not any(secret in word for word in words), (type(value), words)


def test_nothing_keeps_a_secret_outside_the_process(values):
    shown, secrets = values
    for value in shown:
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            try:
                kept = pickle.dumps(value, protocol)
            except (TypeError, pickle.PicklingError) as error:
                assert not any(secret in str(error) for secret in secrets)
            else:
                assert not any(secret.encode() in kept for secret in secrets), type(value)
        try:
            copy.deepcopy(value)
        except TypeError:
            pass


def test_every_secret_has_an_accessor(proxmox):
    console = proxmox.open("qemu/101")

    assert TOKEN_SECRET in console.headers["authorization"] and TOKEN_ID in console.headers["authorization"]
    assert console.websocket_url.startswith("wss://") and len(console.password) == 8


def test_no_traceback_shows_a_secret(account, pve):
    account["token_secret"] = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
    try:
        consolepass.Proxmox(**account).open("qemu/101")
    except consolepass.Error:
        words = traceback.format_exc()

    assert "consolepass.AuthFailed" in words and account["token_secret"] not in words


def test_errors_keep_what_they_say_when_they_are_copied_and_pickled(account):
    account["host"] = "127.0.0.1:1"
    with pytest.raises(consolepass.Unreachable) as raised:
        consolepass.Proxmox(**account).open("qemu/101")

    for again in (pickle.loads(pickle.dumps(raised.value)), copy.copy(raised.value)):
        assert type(again) is consolepass.Unreachable and str(again) == str(raised.value)
        assert (again.code, again.hint, again.retryable) == ("unreachable", raised.value.hint, True)


def test_no_log_line_at_any_level_shows_a_secret(account, pve, caplog):
    caplog.set_level(logging.DEBUG)
    console = consolepass.Proxmox(**account).open("qemu/101")
    consolepass.Proxmox(pve.address, username=USER, password=PASSWORD, ca_file=pve.ca_file).open("qemu/101")

    for secret in (TOKEN_SECRET, PASSWORD, console.password, console.websocket_url.partition("vncticket=")[2]):
        assert secret not in caplog.text
