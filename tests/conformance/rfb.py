"""A few words of RFB (RFC 6143), enough to see a picture: written for these tests, apart from the library's."""

import struct

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

BANNER = b"RFB 003.008\n"
NONE, VNC_AUTHENTICATION = 1, 2
OK, FAILED = 0, 1
RAW = 0
UPDATE, BELL = 0, 2


class Stream:
    """Bytes out of websocket messages, whose borders mean nothing."""

    def __init__(self, socket) -> None:
        """`socket` has `recv()` for one message, and `send(bytes)`."""
        self._socket = socket
        self._unread = b""

    def read(self, size: int) -> bytes:
        while len(self._unread) < size:
            message = self._socket.recv()
            if not isinstance(message, bytes):
                raise AssertionError(f"a text message in the console: {message!r}")
            self._unread += message
        data, self._unread = self._unread[:size], self._unread[size:]
        return data

    def write(self, data: bytes) -> None:
        self._socket.send(data)

    def unpack(self, form: str) -> tuple:
        return struct.unpack(form, self.read(struct.calcsize(form)))


def security_types(stream: Stream) -> list[int]:
    """Greets, and returns what the server offers."""
    assert stream.read(12) == BANNER
    stream.write(BANNER)
    (count,) = stream.unpack(">B")
    return list(stream.read(count))


def log_in(stream: Stream, password: str) -> int:
    """VNC authentication after `security_types`; the SecurityResult."""
    stream.write(bytes([VNC_AUTHENTICATION]))
    stream.write(answer(stream.read(16), password))
    return stream.unpack(">I")[0]


def answer(challenge: bytes, password: str) -> bytes:
    """DES with the first eight bytes of the password, each with its bits in reverse order."""
    key = password.encode()[:8].ljust(8, b"\0")
    key = bytes(int(f"{byte:08b}"[::-1], 2) for byte in key)
    # Three times the same key makes triple DES plain DES, which the library no longer offers.
    encryptor = Cipher(TripleDES(key * 3), modes.ECB()).encryptor()
    return encryptor.update(challenge) + encryptor.finalize()


def choose_none(stream: Stream) -> int:
    """Security type None after `security_types`; the SecurityResult."""
    stream.write(bytes([NONE]))
    return stream.unpack(">I")[0]


def picture(stream: Stream) -> tuple[int, int, bytes]:
    """The whole screen once, after the log-in: width, height, and each pixel as red, green, blue."""
    stream.write(b"\x01")  # ClientInit: shared
    width, height, _format, length = stream.unpack(">HH16sI")
    stream.read(length)  # its name
    pixel_format = struct.pack(">BBBBHHHBBBxxx", 32, 24, 0, 1, 255, 255, 255, 16, 8, 0)
    stream.write(b"\0\0\0\0" + pixel_format)
    stream.write(struct.pack(">BxHi", 2, 1, RAW))
    stream.write(struct.pack(">BBHHHH", 3, 0, 0, 0, width, height))
    pixels = bytearray(3 * width * height)
    kind = BELL
    while kind == BELL:
        (kind,) = stream.unpack(">B")
    assert kind == UPDATE, f"server message {kind} in place of an update"
    for _ in range(stream.unpack(">xH")[0]):
        x, y, columns, rows, encoding = stream.unpack(">HHHHi")
        assert encoding == RAW
        data = stream.read(4 * columns * rows)
        for at in range(columns * rows):
            blue, green, red = data[4 * at : 4 * at + 3]
            place = 3 * ((y + at // columns) * width + x + at % columns)
            pixels[place : place + 3] = bytes((red, green, blue))
    return width, height, bytes(pixels)
