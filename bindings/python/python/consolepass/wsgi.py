"""The relay as a WSGI application, where the server shows its socket: Werkzeug, and gunicorn with its sync and gthread workers.

    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/console": relay.wsgi})

The connection of a console is handed over to the relay's own threads, so no worker is kept busy by it. A server that does not
show its socket still serves the viewer, and answers the websocket with what to do.
"""

from __future__ import annotations

import io
import logging
import os
import socket as sockets
import ssl
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ._errors import Error

if TYPE_CHECKING:
    from ._relays import RelayBase

    StartResponse = Callable[..., Any]

SHOWN = ("werkzeug.socket", "gunicorn.socket")

logger = logging.getLogger("consolepass")


class Application:
    """A WSGI application."""

    __slots__ = ("_relay",)

    def __init__(self, relay: RelayBase) -> None:
        # The relay itself, and not what is behind it: it lives as long as somebody serves it.
        self._relay = relay

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        method = environ["REQUEST_METHOD"]
        path, (status, headers, body) = self._answer(method, environ)
        if status == HTTPStatus.UPGRADE_REQUIRED and environ.get("HTTP_UPGRADE", "").lower() == "websocket":
            try:
                return self._websocket(path, environ, start_response)
            except _NotHere as reason:
                logger.error("a websocket was not served: %s", reason)
                status, headers, body = 501, [(b"content-type", b"text/plain; charset=utf-8")], f"{reason}\n".encode()
            except Error as error:
                logger.error("a websocket was not served: %s (%s)", error, error.hint)
                status, headers, body = 503, [(b"content-type", b"text/plain; charset=utf-8")], f"{error.sentence}\n".encode()
        shown = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]
        # Hop-by-hop headers are the server's.
        shown = [(name, value) for name, value in shown if name.lower() not in ("upgrade", "connection")]
        start_response(_line(status), [*shown, ("Content-Length", str(len(body)))])
        return [] if method == "HEAD" else [body]

    def _answer(self, method: str, environ: dict[str, Any]) -> tuple[str, tuple[int, list[tuple[bytes, bytes]], bytes]]:
        """The path below the place where the relay is mounted, and the answer."""
        below = environ.get("PATH_INFO", "")
        # The relay knows the prefix of its public_url as well.
        whole = environ.get("SCRIPT_NAME", "") + below
        answer = self._relay._native.answer(method, below)
        if answer[0] == HTTPStatus.NOT_FOUND and whole != below:
            return whole, self._relay._native.answer(method, whole)
        return below, answer

    def _websocket(self, path: str, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        connection = next((environ[name] for name in SHOWN if name in environ), None)
        if connection is None:
            raise _NotHere(
                f"{_server(environ)} does not show its socket to applications; run the portal under gunicorn, mount relay.asgi "
                "under an ASGI server, or let the relay listen on a port of its own with relay.start()"
            )
        if isinstance(connection, ssl.SSLSocket):
            raise _NotHere("TLS ends in the WSGI server, whose socket cannot be handed over then; leave it to a reverse proxy")
        # While the connection is still the server's, which can answer. What the relay refuses later it answers itself.
        self._relay._native.check()
        request = _head(path, environ)
        try:
            behind = _read_already(environ, connection)
            far = _give_up(connection, lambda descriptor: self._relay._native.serve(descriptor, request + behind))
        except Error:
            # Some are an OSError as well.
            raise
        except OSError as error:
            raise _NotHere(f"the connection's socket cannot be handed over: {error}") from error
        # Only the server's log hears this: its connection leads nowhere any more.
        start_response("101 Switching Protocols", [])
        return _Nothing(far)


class _NotHere(Exception):
    pass


class _Nothing:
    """An empty body. When the server is done with it, what stands for its connection ends."""

    def __init__(self, far: sockets.socket) -> None:
        self._far = far

    def __iter__(self) -> Iterator[bytes]:
        return iter(())

    def close(self) -> None:
        self._far.close()


def _give_up(connection: sockets.socket, take: Callable[[int], None]) -> sockets.socket:
    """Hands the connection behind a socket over, and puts another in its place; returns the other end of that.

    The server still has the socket and will answer, shut down and close as it is used to. A copy of the descriptor alone would
    be shut down with it.
    """
    near, far = sockets.socketpair()
    try:
        with near:
            descriptor = os.dup(connection.fileno())
            try:
                os.dup2(near.fileno(), connection.fileno(), inheritable=False)
            except BaseException:
                os.close(descriptor)
                raise
        take(descriptor)
    except BaseException:
        far.close()
        raise
    return far


def _head(path: str, environ: dict[str, Any]) -> bytes:
    """The request as the browser sent it, out of what the server made of it."""
    path = quote(path, safe="/", encoding="latin-1")
    query = environ.get("QUERY_STRING", "")
    lines = [f"{environ['REQUEST_METHOD']} {path}{'?' if query else ''}{query} HTTP/1.1"]
    for name, value in environ.items():
        if name.startswith("HTTP_"):
            lines.append(f"{name[5:].replace('_', '-')}: {value}")
    head = "\r\n".join(lines)
    if head.count("\r") != len(lines) - 1 or head.count("\n") != len(lines) - 1:
        raise _NotHere("the request's head holds a line break where none may be")
    try:
        return head.encode("latin-1") + b"\r\n\r\n"
    except UnicodeEncodeError:
        # What it holds is not for the log: the pass is in the head.
        raise _NotHere("the request's head holds a character that is not in latin-1, as WSGI has it") from None


def _read_already(environ: dict[str, Any], connection: sockets.socket) -> bytes:
    """What the server has read beyond the request. A browser waits for the answer, so this is nearly always nothing."""
    stream: Any = environ.get("wsgi.input")
    unreader = getattr(getattr(stream, "reader", None), "unreader", None)
    buffer = getattr(unreader, "buf", None)
    if isinstance(buffer, io.BytesIO):  # gunicorn
        data = buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
        return data
    if hasattr(stream, "peek") and "gunicorn.socket" not in environ:  # Werkzeug: the buffered file of the standard library
        timeout = connection.gettimeout()
        connection.settimeout(0)
        try:
            return bytes(stream.peek())
        except OSError:
            return b""
        finally:
            connection.settimeout(timeout)
    raise _NotHere(
        f"what {_server(environ)} has read from the connection cannot be seen in its wsgi.input ({type(stream).__name__}), and "
        "would be lost: mount the relay outside of what wraps it, or let the relay listen on a port of its own with relay.start()"
    )


def _server(environ: dict[str, Any]) -> str:
    return str(environ.get("SERVER_SOFTWARE", "this WSGI server"))


def _line(status: int) -> str:
    return f"{status} {HTTPStatus(status).phrase}"
