"""The emulator, started as a user of it would."""

import socket
import subprocess

import pytest

import consolepass
from child import PATIENCE, PROGRAM
from pve import TOKEN_ID, TOKEN_SECRET, Emulated
from tunnel import Tunnel


@pytest.fixture(scope="module")
def pve():
    """Proxmox VE since April 2026."""
    with Emulated() as emulated:
        yield emulated


@pytest.fixture
def account(pve):
    """The options of a token's account on the emulated hypervisor."""
    return {
        "host": pve.address,
        "token_id": TOKEN_ID,
        "token_secret": TOKEN_SECRET,
        "fingerprint": pve.ready["fingerprint"],
    }


@pytest.fixture
def proxmox(account):
    return consolepass.Proxmox(**account)


@pytest.fixture
def key_file(tmp_path):
    """A key for signed passes."""
    path = tmp_path / "pass.jwk"
    subprocess.run([PROGRAM, "pass", "--new-key", path], check=True, capture_output=True)
    return path


@pytest.fixture
def silent():
    """A server that accepts and never says a word."""
    with Silent() as server:
        yield server


class Silent:
    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(PATIENCE)
        self.address = "127.0.0.1:%d" % self._listener.getsockname()[1]

    def accepted(self):
        connection, _ = self._listener.accept()
        connection.settimeout(PATIENCE)
        return connection

    def rest(self, connection):
        """Reads until the other side is gone."""
        with connection:
            while True:
                try:
                    if not connection.recv(4096):
                        return
                except ConnectionResetError:
                    return

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.close()


@pytest.fixture
def tunnel():
    with Tunnel() as proxy:
        yield proxy
