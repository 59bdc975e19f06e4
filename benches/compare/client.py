"""The browser's end: RFB over TCP, or within websocket frames, with as little work of its own as Python allows."""

import base64
import os
import socket
import struct
from urllib.parse import urlsplit

POINTER_EVENT = struct.pack(">BBHH", 5, 0, 1, 1)
BUFFER = 1024 * 1024


class Tcp:
    """Bytes as they are."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = bytearray(BUFFER)

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def receive(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            data += self._part(size - len(data))
        return data

    def discard(self, size: int) -> None:
        view = memoryview(self._buffer)
        while size:
            got = self._socket.recv_into(view[: min(size, BUFFER)])
            if not got:
                raise ConnectionError("the relay hung up in the middle")
            size -= got

    def close(self) -> None:
        self._socket.close()

    def _part(self, size: int) -> bytes:
        part = self._socket.recv(size)
        if not part:
            raise ConnectionError("the relay hung up")
        return part


class Websocket:
    """RFC 6455 from the client's side: binary frames, masked on the way out."""

    def __init__(self, url: str, port: int, origin: str | None = None) -> None:
        """Asks for the path and query of `url`, at `port` of this machine."""
        self._tcp = Tcp(port)
        place = urlsplit(url)
        lines = [
            f"GET {place.path or '/'}{'?' + place.query if place.query else ''} HTTP/1.1",
            f"Host: {place.netloc}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Protocol: binary",
        ]
        if origin:
            lines.append(f"Origin: {origin}")
        self._tcp.send(("\r\n".join(lines) + "\r\n\r\n").encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self._tcp.receive(1)
        if not head.startswith(b"HTTP/1.1 101 "):
            raise ConnectionError(head.decode(errors="replace").splitlines()[0])
        # Of the frame that is being read.
        self._left = 0

    def send(self, data: bytes) -> None:
        key = os.urandom(4)
        masked = bytes(byte ^ key[at % 4] for at, byte in enumerate(data))
        self._tcp.send(bytes((0x82, 0x80 | len(data))) + key + masked)

    def receive(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            self._next_frame()
            part = self._tcp.receive(min(size - len(data), self._left))
            self._left -= len(part)
            data += part
        return data

    def discard(self, size: int) -> None:
        while size:
            self._next_frame()
            part = min(size, self._left)
            self._tcp.discard(part)
            self._left -= part
            size -= part

    def close(self) -> None:
        self._tcp.close()

    def _next_frame(self) -> None:
        while not self._left:
            opcode, length = self._tcp.receive(2)
            if opcode & 0x0F == 8:
                raise ConnectionError(f"the relay closed: {self._tcp.receive(length)!r}")
            if length == 126:
                (length,) = struct.unpack(">H", self._tcp.receive(2))
            elif length == 127:
                (length,) = struct.unpack(">Q", self._tcp.receive(8))
            if opcode & 0x0F in (9, 10):
                self._tcp.receive(length)
                continue
            self._left = length


def log_in(stream: Tcp | Websocket) -> None:
    """RFB 3.8 with security type None, as far as ServerInit."""
    stream.receive(12)
    stream.send(b"RFB 003.008\n")
    (count,) = stream.receive(1)
    if 1 not in stream.receive(count):
        raise ConnectionError("the relay offers no security type None")
    stream.send(b"\x01")
    if stream.receive(4) != b"\0\0\0\0":
        raise ConnectionError("the relay did not let us in")
    stream.send(b"\x01")
    stream.receive(20)
    stream.receive(struct.unpack(">I", stream.receive(4))[0])


def bulk(stream: Tcp | Websocket, mebibytes: int) -> None:
    """Has the server send that much, and reads it."""
    stream.send(struct.pack(">BBHHHH", 3, 0, 0, 0, mebibytes, 1))
    stream.discard(mebibytes * 1024 * 1024)


def round_trip(stream: Tcp | Websocket) -> None:
    """One pointer event there and back."""
    stream.send(POINTER_EVENT)
    if stream.receive(len(POINTER_EVENT)) != POINTER_EVENT:
        raise ConnectionError("the echo came back changed")
