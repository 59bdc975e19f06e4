"""A browser, as far as a console needs one: a websocket with an Origin, and RFB on it."""

import socket as sockets
from urllib.parse import urlsplit

import rfb
from websockets.sync.client import connect

ORIGIN = "https://portal.example.com"
PUBLIC_URL = f"{ORIGIN}/console"
BINARY, CONTROL = "binary", "consolepass.1"
# Seconds; it only ends a wait that would never end.
PATIENCE = 30


def visit(address, url, *, origin=ORIGIN, protocols=(BINARY,), prefix=None):
    """A websocket to `url` of a pass, at the address where its reverse proxy would lead; `prefix` in place of the URL's."""
    parts = urlsplit(url)
    path = parts.path if prefix is None else f"{prefix}/ws"
    return connect(
        f"ws://{address}{path}?{parts.query}",
        origin=origin,
        subprotocols=list(protocols),
        compression=None,
        open_timeout=PATIENCE,
        close_timeout=1,
        ping_interval=None,
    )


def picture(socket):
    """Logs in to the relay, which asks for nothing, and returns the screen."""
    stream = rfb.Stream(socket)
    assert rfb.security_types(stream) == [rfb.NONE]
    assert rfb.choose_none(stream) == rfb.OK
    return rfb.picture(stream)


def deaf(address, url):
    """A browser that logs in to the relay and hears nothing of what comes then, as a socket."""
    parts = urlsplit(url)
    host, port = address.rsplit(":", 1)
    connection = sockets.create_connection((host, int(port)), PATIENCE)
    connection.sendall(upgrade(f"{parts.path}?{parts.query}"))
    heard = b""
    while b"RFB 003.008\n" not in heard:
        more = connection.recv(4096)
        assert more, heard
        heard += more
    for message in (b"RFB 003.008\n", bytes([rfb.NONE]), b"\x01"):
        connection.sendall(bytes([0x82, 0x80 | len(message), 0, 0, 0, 0]) + message)
    return connection


def upgrade(target):
    """The head of the request for a websocket."""
    return (
        f"GET {target} HTTP/1.1\r\nHost: portal\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OTAxMjM0NQ==\r\n"
        f"Sec-WebSocket-Protocol: {BINARY}\r\nOrigin: {ORIGIN}\r\n\r\n"
    ).encode()


def is_screen(seen):
    """The emulator's built-in screen: it has a size, and is not of one colour."""
    width, height, pixels = seen
    return width >= 320 and height >= 200 and len(set(zip(pixels[::3], pixels[1::3], pixels[2::3], strict=True))) > 2


def refusal(address, url, protocols=(CONTROL,), **rest):
    """The code that a browser hears which gets no console, as close code and reason."""
    with visit(address, url, protocols=protocols, **rest) as socket:
        try:
            while True:
                socket.recv(PATIENCE)
        except Exception:
            return socket.close_code, socket.close_reason
