"""A browser, as far as a console needs one: a websocket with an Origin, and RFB on it."""

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
