"""The relay inside WSGI servers: real ones, as processes."""

import contextlib
import io
import os
import re
import socket
import struct
import time
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

import browser
import consolepass
from consolepass import wsgi
from pve import TOKEN_ID, TOKEN_SECRET
from servers import Server

GUNICORN = ("gunicorn", "--no-control-socket", "--bind", "fd://{fd}", "--workers", "1", "--worker-class")
SERVERS = {
    "gunicorn with threads, Flask": (*GUNICORN, "gthread", "--threads", "4", "wsgi:flask()"),
    "gunicorn without threads": (*GUNICORN, "sync", "wsgi:whole"),
    "Werkzeug, Flask": ("wsgi", "{fd}"),
    "Werkzeug with its debugger, Flask": ("wsgi", "{fd}", "--debugger"),
}


@pytest.fixture(scope="module")
def account_of_module(pve):
    return {"host": pve.address, "token_id": TOKEN_ID, "token_secret": TOKEN_SECRET, "fingerprint": pve.ready["fingerprint"]}


@pytest.fixture(scope="module", params=SERVERS)
def server(request, account_of_module):
    with Server(SERVERS[request.param], account_of_module) as server:
        yield server


def until(condition):
    deadline = time.monotonic() + browser.PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_pass_opens_one_session_and_shows_the_picture(server):
    issued = server.click()

    with browser.visit(server.address, issued["url"]) as websocket:
        assert browser.is_screen(browser.picture(websocket))
        # A server that has shut the connection down, or taken a worker with it, would show by now.
        time.sleep(0.3)
        assert server.sessions() == 1
        websocket.send(struct.pack(">BBHHHH", 3, 0, 0, 0, 16, 16))
        assert websocket.recv(browser.PATIENCE)
    until(lambda: server.sessions() == 0)

    assert browser.refusal(server.address, issued["url"]) == (4019, "pass_used")


def test_consoles_keep_no_worker_busy(server):
    """More of them than the server has threads."""
    with contextlib.ExitStack() as stack:
        for _ in range(6):
            websocket = stack.enter_context(browser.visit(server.address, server.click()["url"]))
            assert browser.is_screen(browser.picture(websocket))
        assert server.sessions() == 6
    until(lambda: server.sessions() == 0)


def test_a_browser_that_is_refused_hears_why(server):
    issued = server.click()

    assert browser.refusal(server.address, issued["url"], origin="https://evil.example") == (4021, "origin_refused")
    assert browser.refusal(server.address, f"{browser.PUBLIC_URL}/ws?pass=nonsense") == (4017, "pass_invalid")


def test_the_viewer_is_served_with_its_own_headers(server):
    status, headers, page = server.get("/console/")
    scripts = re.findall(r'src="([^"]+)"', page.decode())

    assert status == 200 and scripts
    headers = {name.lower(): value for name, value in headers.items()}
    assert "default-src 'none'" in headers["content-security-policy"]
    for script in scripts:
        status, headers, code = server.get(f"/console/{script.removeprefix('./')}")
        assert status == 200 and len(code) > 1000
    assert server.get("/console/", "HEAD")[::2] == (200, b"")
    assert server.get("/console/nothing-here")[0] == 404


def test_a_plain_request_for_the_websocket_says_what_is_wanted(server):
    status, _, words = server.get("/console/ws?pass=x")

    assert status == 426 and b"websocket" in words.lower()


def test_what_a_browser_sends_right_behind_its_request_is_not_lost(server):
    """No browser does that; a proxy that merges packets might."""
    url = urlsplit(server.click()["url"])
    host, port = server.address.rsplit(":", 1)
    head = browser.upgrade(f"{url.path}?{url.query}")
    ping = bytes([0x89, 0x85, 0, 0, 0, 0]) + b"early"
    with socket.create_connection((host, int(port)), browser.PATIENCE) as connection:
        connection.sendall(head + ping)
        heard = b""
        while b"\x8a\x05early" not in heard:
            more = connection.recv(4096)
            assert more, heard
            heard += more

    assert heard.startswith(b"HTTP/1.1 101")


def test_a_server_that_ends_ends_its_consoles(account_of_module):
    with Server(SERVERS["gunicorn with threads, Flask"], account_of_module) as server:
        with browser.visit(server.address, server.click()["url"]) as websocket:
            browser.picture(websocket)
            assert server.stop() == 0
            with pytest.raises(Exception):  # noqa: B017
                while True:
                    websocket.recv(browser.PATIENCE)


def test_a_unix_socket_is_handed_over_as_well(account_of_module, tmp_path):
    path = tmp_path / "portal.sock"
    command = ("gunicorn", "--no-control-socket", "--bind", "127.0.0.1:{port}", "--bind", f"unix:{path}", "wsgi:flask()")
    with Server(command, account_of_module) as server:
        url = urlsplit(server.click()["url"])
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(path))
            with connect(
                f"ws://portal{url.path}?{url.query}",
                sock=connection,
                origin=browser.ORIGIN,
                subprotocols=["binary"],
                compression=None,
            ) as websocket:
                assert browser.is_screen(browser.picture(websocket))


def test_a_server_that_shows_no_socket_says_what_to_do(account_of_module):
    with Server(("waitress", "--listen=127.0.0.1:{port}", "wsgi:whole"), account_of_module) as server:
        issued = server.click()
        with pytest.raises(InvalidStatus) as refused:
            browser.visit(server.address, issued["url"]).__enter__()
        answer = refused.value.response

        assert answer.status_code == 501
        for cure in (b"gunicorn", b"relay.asgi", b"relay.start()"):
            assert cure in answer.body
        server.wait_for("does not show its socket")
        assert server.get("/console/")[0] == 200




@pytest.fixture
def relay(proxmox):
    return consolepass.Relay({"dc1": proxmox}, public_url=browser.PUBLIC_URL)


@pytest.fixture
def ends():
    """A connection: the server's end and the browser's."""
    near, far = socket.socketpair()
    with near, far:
        far.settimeout(browser.PATIENCE)
        yield near, far


def answer(relay, **more):
    """What the server is to answer to a browser that wants a websocket."""
    environ = {
        **{"REQUEST_METHOD": "GET", "SCRIPT_NAME": "/console", "PATH_INFO": "/ws", "QUERY_STRING": "pass=x"},
        **{"HTTP_UPGRADE": "websocket", "SERVER_SOFTWARE": "a server", **more},
    }
    statuses = []
    body = b"".join(relay.wsgi(environ, lambda status, _headers: statuses.append(status)))
    return statuses, body.decode()


def is_still_the_servers(ends):
    near, far = ends
    near.sendall(b"its answer")
    return far.recv(100) == b"its answer"


@pytest.mark.parametrize(("shown", "attributes"), [("gunicorn.socket", {}), ("gunicorn.socket", {"peek": bytes}), ("werkzeug.socket", {})])
def test_bytes_that_a_wrapped_input_hides_are_not_lost_in_silence(relay, ends, shown, attributes):
    wrapped = type("Wrapped", (), attributes)()

    statuses, words = answer(relay, **{shown: ends[0], "wsgi.input": wrapped})

    assert statuses == ["501 Not Implemented"]
    assert "a server" in words and "wsgi.input (Wrapped)" in words and "relay.start()" in words
    assert is_still_the_servers(ends)


def wanted(**more):
    """What Werkzeug gives with a request in which nothing was read too far."""
    return {"wsgi.input": io.BufferedReader(io.BytesIO()), **more}


def test_a_head_that_no_browser_sent_is_answered(relay, ends, caplog):
    """Middleware may put anything into it."""
    for name, value in {"HTTP_X_USER": "\u0416", "QUERY_STRING": "pass=\u0416", "HTTP_X_LONE": "\ud800"}.items():
        statuses, words = answer(relay, **wanted(**{"werkzeug.socket": ends[0], name: value}))

        assert statuses == ["501 Not Implemented"] and "latin-1" in words and "Ж" not in words
    assert [record.levelname for record in caplog.records if "not served" in record.message] == ["ERROR"] * 3
    assert is_still_the_servers(ends)


def test_a_socket_that_is_closed_is_answered(relay):
    near, far = socket.socketpair()
    near.close()
    with far:
        for name in ("werkzeug.socket", "gunicorn.socket"):
            unread = type("Unreader", (), {"buf": io.BytesIO()})()
            stream = type("Body", (io.BytesIO,), {"reader": type("Reader", (), {"unreader": unread})()})()
            more = wanted() if name == "werkzeug.socket" else {"wsgi.input": stream}
            statuses, words = answer(relay, **{name: near, **more})

            assert statuses == ["501 Not Implemented"] and "socket cannot be handed over" in words


def test_a_relay_that_was_stopped_has_the_server_say_so(relay, ends, caplog):
    relay.stop()

    statuses, words = answer(relay, **{"werkzeug.socket": ends[0], "wsgi.input": io.BufferedReader(io.BytesIO())})

    assert statuses == ["503 Service Unavailable"] and words.strip()
    assert [record.levelname for record in caplog.records if "not served" in record.message] == ["ERROR"]
    assert is_still_the_servers(ends)


def test_a_connection_that_cannot_be_taken_over_is_not_kept_open(ends, monkeypatch):
    def fails(*_, **__):
        raise OSError("no more descriptors")

    before = sorted(os.listdir("/proc/self/fd"))
    with monkeypatch.context() as patched, pytest.raises(OSError, match="no more descriptors"):
        patched.setattr(os, "dup2", fails)
        wsgi._give_up(ends[0], lambda _: None)

    assert sorted(os.listdir("/proc/self/fd")) == before
    ends[0].close()
    assert ends[1].recv(1) == b""


def test_what_stands_for_a_connection_ends_with_a_relay_that_refuses_it(ends):
    def refuse(descriptor):
        os.close(descriptor)
        raise consolepass.Closed("no")

    with pytest.raises(consolepass.Error):
        wsgi._give_up(ends[0], refuse)

    assert ends[0].recv(1) == b"" and ends[1].recv(1) == b""
