"""The relay inside ASGI servers, which keep the port: real ones, as processes."""

import re
import time
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus

import browser
from flood import Flood
from pve import TOKEN_ID, TOKEN_SECRET
from servers import Server

UVICORN = ("uvicorn", "--fd", "{fd}", "--factory", "--ws")
HYPERCORN = ("hypercorn", "--bind", "fd://{fd}")
SERVERS = {
    "uvicorn, Starlette": (*UVICORN, "websockets", "asgi:starlette"),
    "uvicorn with wsproto, FastAPI": (*UVICORN, "wsproto", "asgi:fastapi"),
    "uvicorn, Django's channels": (*UVICORN, "websockets-sansio", "asgi:channels"),
    "hypercorn, FastAPI": (*HYPERCORN, "asgi:fastapi()"),
    "hypercorn, no framework": (*HYPERCORN, "asgi:whole()"),
}


@pytest.fixture(scope="module", params=SERVERS)
def server(request, pve):
    account = {
        "host": pve.address,
        "token_id": TOKEN_ID,
        "token_secret": TOKEN_SECRET,
        "fingerprint": pve.ready["fingerprint"],
    }
    with Server(SERVERS[request.param], account) as server:
        yield server


def until(condition):
    deadline = time.monotonic() + browser.PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_pass_opens_one_session_and_shows_the_picture(server):
    issued = server.click()

    with browser.visit(server.address, issued["url"]) as socket:
        assert browser.is_screen(browser.picture(socket))
        assert socket.subprotocol == "binary"
        assert server.sessions() == 1
    until(lambda: server.sessions() == 0)

    assert browser.refusal(server.address, issued["url"]) == (4019, "pass_used")


def test_the_control_protocol_is_spoken(server):
    with browser.visit(server.address, server.click()["url"], protocols=[browser.CONTROL]) as socket:
        assert socket.subprotocol == browser.CONTROL
        seen = []
        while not any(isinstance(message, bytes) for message in seen):
            seen.append(socket.recv(browser.PATIENCE))

    assert '"step"' in seen[0]


def test_a_browser_that_is_refused_hears_why(server):
    issued = server.click()

    assert browser.refusal(server.address, issued["url"], origin="https://evil.example") == (4021, "origin_refused")
    assert browser.refusal(server.address, f"{browser.PUBLIC_URL}/ws?pass=nonsense") == (4017, "pass_invalid")


def test_the_viewer_is_served_with_its_own_headers(server):
    status, headers, page = server.get("/console/")
    scripts = re.findall(r'src="([^"]+)"', page.decode())

    assert status == 200 and scripts
    headers = {name.lower(): value for name, value in headers.items()}
    assert headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in headers["content-security-policy"]
    for script in scripts:
        status, headers, code = server.get(f"/console/{script.removeprefix('./')}")
        assert status == 200 and len(code) > 1000
    assert server.get("/console/", "HEAD")[::2] == (200, b"")
    assert server.get("/console/nothing-here")[0] == 404


def test_a_plain_request_for_the_websocket_says_what_is_wanted(server):
    status, _, words = server.get("/console/ws?pass=x")

    # The portal of one framework routes only websockets there.
    assert status in (426, 404) and words


def test_a_websocket_elsewhere_is_refused(server):
    with pytest.raises(InvalidStatus):
        browser.visit(server.address, f"{browser.PUBLIC_URL}/elsewhere/ws?pass=x").__enter__()


@pytest.mark.parametrize("kind", SERVERS)
def test_a_browser_that_reads_nothing_does_not_fill_the_memory(kind, account):
    """What it does not take stays with the screen: back-pressure reaches through the server and the relay."""
    size = 60_000_000
    with Flood(size) as screen, Server(SERVERS[kind], account, VNC_HOST=screen.address) as server:
        with browser.visit(server.address, server.click()["url"]) as socket:
            stream = browser.rfb.Stream(socket)
            assert browser.rfb.security_types(stream) == [browser.rfb.NONE]
            browser.rfb.choose_none(stream)
            before = memory(server)
            stream.write(b"\x01")
            settled(lambda: screen.sent)
            grown = memory(server) - before

            assert 0 < screen.sent < size / 2
            assert grown < 20_000_000
            # The rest comes when it is wanted.
            read = 0
            while read < size:
                read += len(socket.recv(browser.PATIENCE))


def settled(measure):
    """A number once it stays the same."""
    seen = [measure()]
    while len(seen) < 6 or len(set(seen[-5:])) > 1:
        time.sleep(0.1)
        seen.append(measure())
    return seen[-1]


def memory(server):
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024
