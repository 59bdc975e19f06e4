"""The server at the far end of every relay: just enough RFB to be let through, and then bytes as fast as they go.

Prints one JSON object with its address. A FramebufferUpdateRequest is answered with as many MiB as it is pixels wide, a
PointerEvent with its own six bytes.
"""

import json
import socket
import struct
import threading

MIB = bytes(1024 * 1024)
BANNER = b"RFB 003.008\n"
SERVER_INIT = struct.pack(">HHBBBBHHHBBBxxxI", 640, 480, 32, 24, 0, 1, 255, 255, 255, 16, 8, 0, 4) + b"fast"


def serve(connection: socket.socket) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(BANNER)
    read(connection, 12)
    connection.sendall(b"\x01\x01")  # one security type: None
    read(connection, 1)
    connection.sendall(b"\0\0\0\0")  # SecurityResult: OK
    read(connection, 1)  # ClientInit
    connection.sendall(SERVER_INIT)
    while True:
        kind = read(connection, 1)
        if kind == b"\x03":
            _incremental, _x, _y, width, _height = struct.unpack(">BHHHH", read(connection, 9))
            for _ in range(width):
                connection.sendall(MIB)
        elif kind == b"\x05":
            connection.sendall(kind + read(connection, 5))
        else:
            raise ValueError(f"the client sent message {kind!r}")


def read(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise ConnectionError("the client went away")
        data += part
    return data


def guarded(connection: socket.socket) -> None:
    with connection:
        try:
            serve(connection)
        except ConnectionError:
            # The end of a measurement.
            pass


def main() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=guarded, args=(connection,), daemon=True).start()


if __name__ == "__main__":
    main()
