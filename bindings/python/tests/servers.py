"""Real servers as processes, each on a socket that the test has bound."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from browser import PATIENCE, PUBLIC_URL
from program import environment

PORTALS = Path(__file__).resolve().parent / "portals"


class Server:
    """`command` has {fd} and {port} in it, for servers that take a bound socket, or that bind by themselves.

    `workers` is how many of its workers say that they are ready, and are waited for.
    """

    def __init__(self, command, account, folder=PORTALS, ready="/sessions", workers=0, **more):
        self._ready = ready
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.socket.getsockname()[1]
        self.log = tempfile.TemporaryFile()
        words = [word.format(fd=self.socket.fileno(), port=self.address.rsplit(":", 1)[1]) for word in command]
        if "{port}" in " ".join(command):
            self.socket.close()
        own = {
            "PVE_HOST": account["host"],
            "PVE_FINGERPRINT": account["fingerprint"],
            "PVE_TOKEN_ID": account["token_id"],
            "PVE_TOKEN_SECRET": account["token_secret"],
            "PUBLIC_URL": PUBLIC_URL,
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", *words],
            cwd=folder,
            env=environment(**{**own, **{name: str(value) for name, value in more.items()}}),
            pass_fds=[] if self.socket.fileno() < 0 else [self.socket.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            self._wait_until_it_serves()
            self.wait_for("this worker is ready", workers)
        except BaseException:
            self.__exit__()
            raise

    def _wait_until_it_serves(self):
        # Four workers on a busy machine take their time.
        deadline = time.monotonic() + 2 * PATIENCE
        while True:
            try:
                self.get(self._ready, timeout=2)
                return
            except OSError:
                if time.monotonic() > deadline or self.process.poll() is not None:
                    raise AssertionError(f"the server did not get ready:\n{self.words()}") from None
                time.sleep(0.05)

    def get(self, path, method="GET", timeout=PATIENCE):
        request = urllib.request.Request(f"http://{self.address}{path}", method=method)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return answer.status, dict(answer.headers), answer.read()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.status, dict(refused.headers), refused.read()

    def click(self):
        status, _, body = self.get("/click", "POST")
        assert status == 200, body
        return json.loads(body)

    def sessions(self):
        return json.loads(self.get("/sessions", timeout=2)[2])

    def words(self):
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def wait_for(self, pattern, times=1):
        """Waits until the server has said it so many times."""
        deadline = time.monotonic() + PATIENCE
        while len(re.findall(pattern, self.words())) < times:
            assert time.monotonic() < deadline, self.words()
            time.sleep(0.02)

    def stop(self, with_signal=signal.SIGTERM):
        """Asks it to end, and waits for that; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(with_signal)
        return self.process.wait(PATIENCE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.stop()
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            raise
        finally:
            self.socket.close()
