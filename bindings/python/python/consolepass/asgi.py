"""The relay as an ASGI application: the portal's own server keeps the port, and mounts the viewer and the websocket.

    app.mount("/console", relay.asgi)       # Starlette, FastAPI

It may be mounted anywhere, also as a part of Django's channels, or be the whole application.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from ._errors import Error
from ._native import Socket, close_code
from ._waiting import done

if TYPE_CHECKING:
    from ._relays import RelayBase

    Scope = MutableMapping[str, Any]
    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]

# The close codes that a browser sends when its page goes away.
WENT_AWAY = (1000, 1001)

logger = logging.getLogger("consolepass")


class Application:
    """An ASGI application. As the whole of one it stops the relay when its server ends; mounted, that is the portal's to do."""

    __slots__ = ("_relay",)

    def __init__(self, relay: RelayBase) -> None:
        # The relay itself, and not what is behind it: it lives as long as somebody serves it.
        self._relay = relay

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._page(scope, send)
        elif scope["type"] == "websocket":
            await self._websocket(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        else:
            raise ValueError(f"consolepass serves http and websocket, not {scope['type']}")

    async def _page(self, scope: Scope, send: Send) -> None:
        status, headers, body = self._answer(scope["method"], scope)
        headers.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()  # websocket.connect
        # What the relay answers where it wants a websocket.
        status, headers, body = self._answer("GET", scope, HTTPStatus.UPGRADE_REQUIRED)
        if status != HTTPStatus.UPGRADE_REQUIRED:
            await _deny(scope, send, status, headers, body)
            return
        query = scope.get("query_string", b"").decode("latin-1")
        try:
            socket: Socket = await done(self._relay._native.accept(query, _headers(scope)))
        except Error as error:
            # A browser sees nothing of a handshake that fails, so it is completed first.
            logger.error("a websocket was not served: %s (%s)", error, error.hint)
            await send({"type": "websocket.accept", "subprotocol": _offered(scope, "binary")})
            await send({"type": "websocket.close", "code": close_code(error.code), "reason": error.code})
            return
        await send({"type": "websocket.accept", "subprotocol": socket.protocol})
        await _carry(socket, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await done(self._relay._native.stop())
        await send({"type": "lifespan.shutdown.complete"})

    def _answer(
        self, method: str, scope: Scope, wanted: int | None = None
    ) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        """What the relay answers at the likeliest path where there is something, or where it answers as `wanted`."""
        answers = [self._relay._native.answer(method, path) for path in _paths(scope)]
        fitting = (answer for answer in answers if (answer[0] != HTTPStatus.NOT_FOUND if wanted is None else answer[0] == wanted))
        return next(fitting, answers[-1])


async def _carry(socket: Socket, receive: Receive, send: Send) -> None:
    """Both ways, until either ends; then both have."""
    ways = {asyncio.ensure_future(_to_browser(socket, send)), asyncio.ensure_future(_from_browser(socket, receive))}
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        ended = await asyncio.gather(*ways, return_exceptions=True)
    for error in ended:
        # A console that ended, and a browser that is gone, which servers say in several ways, are how this ends.
        if isinstance(error, Exception) and not isinstance(error, (Error, OSError, RuntimeError)):
            logger.debug("a websocket ended: %r", error)


async def _to_browser(socket: Socket, send: Send) -> None:
    while (message := await done(socket.receive())) is not None:
        if isinstance(message, bytes):
            await send({"type": "websocket.send", "bytes": message})
        elif isinstance(message, str):
            await send({"type": "websocket.send", "text": message})
        else:
            code, reason = message
            await send({"type": "websocket.close", "code": code, "reason": reason})
            return
        # Neither of the above waits while there is room; the others of this loop have their turn all the same.
        await asyncio.sleep(0)
    await send({"type": "websocket.close", "code": 1011, "reason": ""})


async def _from_browser(socket: Socket, receive: Receive) -> None:
    while (event := await receive())["type"] == "websocket.receive":
        data = event.get("bytes")
        await done(socket.send(event["text"] if data is None else data))
    if event.get("code") in WENT_AWAY:
        await done(socket.send((event["code"], "")))


async def _deny(scope: Scope, send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close"})
        return
    await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body})


def _paths(scope: Scope) -> Iterator[str]:
    """What may be the path below the place where the relay is mounted, the likeliest first."""
    path = scope["path"]
    # Django's channels leave what their route did not match.
    remaining = scope.get("path_remaining")
    if remaining is not None:
        yield "/" + remaining.lstrip("/")
    root = scope.get("root_path", "").rstrip("/")
    if root and path.startswith(root):
        yield path[len(root) :]
    # Whole, or relative already; the relay knows the prefix of its public_url.
    yield path


def _headers(scope: Scope) -> list[tuple[bytes, bytes]]:
    headers = [(bytes(name), bytes(value)) for name, value in scope["headers"]]
    offered = scope.get("subprotocols", ())
    if offered and not any(name.lower() == b"sec-websocket-protocol" for name, _ in headers):
        # A server that parsed it away.
        headers.append((b"sec-websocket-protocol", ", ".join(offered).encode("latin-1")))
    return headers


def _offered(scope: Scope, protocol: str) -> str | None:
    return protocol if protocol in scope.get("subprotocols", ()) else None
