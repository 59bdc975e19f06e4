"""A screen that sends more than it was asked for."""

import socket
import struct
import threading


class Flood:
    """An RFB server that pours `size` bytes into whoever has logged in, as fast as they are taken."""

    def __init__(self, size):
        self._size = size
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self._listener.getsockname()[1]
        self.sent = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        try:
            connection, _ = self._listener.accept()
            with connection:
                connection.sendall(b"RFB 003.008\n")
                read(connection, 12)
                connection.sendall(b"\x01\x01")
                read(connection, 1)
                connection.sendall(bytes(4))
                read(connection, 1)
                connection.sendall(struct.pack(">HH16sI", 16, 16, bytes(16), 0))
                while self.sent < self._size:
                    self.sent += connection.send(bytes(65536))
        except OSError:
            pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.close()


def read(connection, size):
    while size > 0:
        size -= len(connection.recv(size)) or size
