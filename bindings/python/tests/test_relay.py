"""A relay with a port of its own, and browsers that come to it."""

import datetime
import gc
import threading

import pytest

import browser
import consolepass
import rfb
from browser import ORIGIN, PUBLIC_URL


@pytest.fixture
def relay(proxmox):
    with consolepass.Relay({"dc1": proxmox}, listen="127.0.0.1:0", public_url=PUBLIC_URL) as relay:
        yield relay


def test_a_pass_opens_one_session_and_shows_the_picture(relay):
    issued = relay.issue("dc1", "qemu/101", user="42", ttl=60)

    with browser.visit(relay.address, issued.url) as socket:
        assert browser.is_screen(browser.picture(socket))
        assert relay.session_count == 1

    assert browser.refusal(relay.address, issued.url) == (4019, "pass_used")


def test_a_pass_says_where_to_go_and_until_when(relay):
    before = datetime.datetime.now(datetime.timezone.utc)
    issued = relay.issue("dc1", "qemu/101", ttl=60)

    assert issued.url.startswith("wss://portal.example.com/console/ws?pass=")
    assert issued.viewer_url.startswith("https://portal.example.com/console/#pass=")
    assert issued.sub_protocol.startswith("consolepass.pass.")
    assert len(issued.reference) == 10
    assert before + datetime.timedelta(seconds=59) < issued.expires_at < before + datetime.timedelta(seconds=70)
    assert issued.novnc_url("https://portal.example.com/novnc/vnc.html", version="1.5").startswith(
        "https://portal.example.com/novnc/vnc.html#"
    )
    assert (issued.rfb_parameters().url, issued.rfb_parameters().password) == (issued.url, None)


def test_events_tell_the_life_of_a_console(relay):
    events = relay.events()
    issued = relay.issue("dc1", "qemu/101", user="42")

    with browser.visit(relay.address, issued.url) as socket:
        browser.picture(socket)
        taken, connected = events.next(browser.PATIENCE), events.next(browser.PATIENCE)
    ended = events.next(browser.PATIENCE)

    assert [taken.what, connected.what, ended.what] == ["taken", "connected", "ended"]
    assert {event.reference for event in (taken, connected, ended)} == {issued.reference}
    assert (taken.backend, taken.machine, taken.user, taken.code) == ("dc1", "qemu/101", "42", None)
    assert ended.code == "closed" and ended.message
    assert ended.at.tzinfo is not None
    assert events.next(0) is None


def test_an_iteration_over_events_ends_with_silence_and_with_the_relay(relay):
    quiet = list(relay.events(timeout=0.05))
    seen = []
    events = relay.events()
    reader = threading.Thread(target=lambda: seen.extend(event.what for event in events))
    reader.start()
    with browser.visit(relay.address, relay.issue("dc1", "qemu/101").url) as socket:
        browser.picture(socket)
        relay.stop()
        reader.join(browser.PATIENCE)

    assert quiet == []
    assert not reader.is_alive()
    assert seen == ["taken", "connected", "ended"]
    with pytest.raises(consolepass.Closed):
        events.next()


def test_a_revocation_ends_a_session_and_an_unused_pass(relay):
    used, unused = relay.issue("dc1", "qemu/101"), relay.issue("dc1", "qemu/101")
    with browser.visit(relay.address, used.url) as socket:
        browser.picture(socket)
        assert relay.revoke(used.reference) is True
        with pytest.raises(Exception):  # noqa: B017 - whichever end the client meets
            while True:
                socket.recv(browser.PATIENCE)
        assert (socket.close_code, socket.close_reason) == (4023, "revoked")

    assert relay.revoke(unused) is True
    assert relay.revoke("0000000000") is False
    assert browser.refusal(relay.address, unused.url) == (4023, "revoked")


def test_a_foreign_origin_does_not_spend_the_pass(relay):
    issued = relay.issue("dc1", "qemu/101")

    assert browser.refusal(relay.address, issued.url, origin="https://evil.example") == (4021, "origin_refused")
    with browser.visit(relay.address, issued.url) as socket:
        assert browser.is_screen(browser.picture(socket))


def test_a_wrong_backend_machine_or_option_is_named(relay):
    for wrong, words in [
        (("dc2", "qemu/101", {}), "dc1"),
        (("dc1", "kvm/101", {}), "pve2/qemu/101"),
        (("dc1", "qemu/101", {"ttl": 0}), "from 1 to 300"),
        (("dc1", "qemu/101", {"tll": 5}), "ttl"),
    ]:
        backend, machine, options = wrong
        with pytest.raises(consolepass.InvalidArgument, match=words):
            relay.issue(backend, machine, **options)


def test_an_address_that_is_taken_is_named_and_may_be_tried_again(relay, proxmox):
    second = consolepass.Relay({"dc1": proxmox}, listen=relay.address, public_url=PUBLIC_URL)

    with pytest.raises(consolepass.ListenFailed, match=relay.address):
        second.start()
    relay.stop()
    second.start()
    second.stop()


def test_a_stopped_relay_says_so_and_stopping_twice_is_fine(relay):
    address = relay.address
    relay.stop()
    relay.stop()

    assert relay.address is None and relay.session_count == 0
    for call in (relay.start, lambda: relay.issue("dc1", "qemu/101")):
        with pytest.raises(consolepass.Closed):
            call()
    with pytest.raises(OSError):
        browser.visit(address, f"{PUBLIC_URL}/ws?pass=x").__enter__()


def test_a_relay_that_is_forgotten_ends_its_sessions(proxmox):
    relay = consolepass.Relay({"dc1": proxmox}, listen="127.0.0.1:0", public_url=PUBLIC_URL)
    relay.start()
    with browser.visit(relay.address, relay.issue("dc1", "qemu/101").url) as socket:
        browser.picture(socket)
        del relay
        gc.collect()
        with pytest.raises(Exception):  # noqa: B017
            while True:
                socket.recv(browser.PATIENCE)
        assert socket.close_reason == "shutting_down"


def test_one_relay_serves_several_backends_at_once(proxmox, pve):
    by_password = consolepass.Proxmox(pve.address, username="root@pam", password=__import__("pve").PASSWORD, ca_file=pve.ca_file)
    with consolepass.Relay({"dc1": proxmox, "dc2": by_password}, listen="127.0.0.1:0", public_url=PUBLIC_URL) as relay:
        screens = []

        def open_one(backend, machine):
            with browser.visit(relay.address, relay.issue(backend, machine).url) as socket:
                screens.append(browser.is_screen(browser.picture(socket)))

        visitors = [threading.Thread(target=open_one, args=pair) for pair in [("dc1", "qemu/101"), ("dc2", "lxc/200")] * 4]
        for visitor in visitors:
            visitor.start()
        for visitor in visitors:
            visitor.join(browser.PATIENCE)

    assert screens == [True] * 8


def test_a_plain_rfb_server_is_a_backend(pve, tmp_path):
    """The screen behind it is the emulator's, through another relay's console: here only that it is dialled and said."""
    vnc = consolepass.Vnc("127.0.0.1:1", password="12345678")
    console = vnc.open("screen")

    assert (console.websocket_url, console.headers, console.password) == (None, {}, "12345678")
    assert console.address == "127.0.0.1:1"
    with pytest.raises(consolepass.Unsupported):
        console.novnc_url(f"{ORIGIN}/vnc.html")
    with consolepass.Relay({"one": vnc}, listen="127.0.0.1:0", public_url=PUBLIC_URL) as relay:
        assert browser.refusal(relay.address, relay.issue("one", "screen").url) == (4012, "unreachable")


def test_the_viewers_page_is_served(relay):
    import urllib.request

    with urllib.request.urlopen(f"http://{relay.address}/console/", timeout=browser.PATIENCE) as page:
        assert page.status == 200 and b"<title>" in page.read()



