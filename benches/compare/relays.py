"""What is compared: no relay at all, socat, websockify, and ours, each before the same server."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

from client import Tcp, Websocket

ORIGIN = "http://127.0.0.1"
# Seconds after its start from which a relay takes signed passes.
LEEWAY = 5.1
# Seconds until a relay that does not get ready is given up.
PATIENCE = 20.0


class Relay:
    """A process before the server; ended with the benchmark."""

    name = ""

    def __init__(self, command: list[str], environment: dict[str, str] | None = None) -> None:
        self._process = subprocess.Popen(
            command,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def connect(self) -> Tcp | Websocket:
        raise NotImplementedError

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()

    def first_line(self) -> dict:
        """What the process prints when it is ready."""
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended before it was ready")
        return json.loads(line)

    def wait_until_it_listens(self, port: int) -> None:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return
            except OSError as error:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    raise RuntimeError(f"{self.name} does not listen on port {port}") from error
                time.sleep(0.05)

    def cpu(self) -> float:
        """Seconds of processor time that the process and all its descendants have used."""
        ticks = 0
        for pid in family(self._process.pid):
            try:
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")


class Source(Relay):
    """The server itself, met directly: what the machine can do."""

    name = "direct"

    def __init__(self) -> None:
        super().__init__([sys.executable, str(Path(__file__).with_name("source.py"))])
        self.port = self.first_line()["port"]

    def connect(self) -> Tcp:
        return Tcp(self.port)


class Socat(Relay):
    """TCP to TCP."""

    name = "socat"

    def __init__(self, source: Source) -> None:
        self._port = free_port()
        listen = f"TCP-LISTEN:{self._port},bind=127.0.0.1,reuseaddr,fork,nodelay"
        super().__init__([needed("socat", "socat"), listen, f"TCP:127.0.0.1:{source.port},nodelay"])
        self.wait_until_it_listens(self._port)

    def connect(self) -> Tcp:
        return Tcp(self._port)


class Websockify(Relay):
    """Websocket to TCP, in Python with numpy."""

    name = "websockify"

    def __init__(self, source: Source) -> None:
        self._port = free_port()
        super().__init__(
            [sys.executable, "-m", "websockify", f"127.0.0.1:{self._port}", f"127.0.0.1:{source.port}"]
        )
        self.wait_until_it_listens(self._port)

    def connect(self) -> Websocket:
        return Websocket(f"ws://127.0.0.1:{self._port}/", self._port)


class Consolepass(Relay):
    """Websocket to TCP: a pass is taken, the log-in is done for the browser, then bytes."""

    name = "consolepass"

    def __init__(self, source: Source, folder: Path) -> None:
        self._program = needed(os.environ.get("CONSOLEPASS_PROGRAM", "target/release/consolepass"), None)
        self._config = folder / "consolepass.toml"
        key = folder / "pass.jwk"
        subprocess.run([self._program, "pass", "--new-key", str(key)], check=True, stdout=subprocess.DEVNULL)
        self._config.write_text(
            f"""
[relay]
listen = "127.0.0.1:0"
public_url = "{ORIGIN}"
pass_key_file = "{key}"

[backend.source]
type = "vnc"
host = "127.0.0.1:{source.port}"
""",
            encoding="utf-8",
        )
        super().__init__([self._program, "relay", "--config", str(self._config), "--json"])
        self._port = int(self.first_line()["address"].rpartition(":")[2])
        # Just started, a relay takes no signed pass: it may be an old one from a portal whose clock is ahead.
        time.sleep(LEEWAY)

    def connect(self) -> Websocket:
        issued = subprocess.run(
            [
                *(self._program, "pass", "--config", str(self._config)),
                *("--backend", "source", "--machine", "qemu/1", "--json"),
            ],
            check=True,
            capture_output=True,
        )
        return Websocket(json.loads(issued.stdout)["url"], self._port, ORIGIN)


def needed(program: str, package: str | None) -> str:
    found = shutil.which(program)
    if found is None:
        remedy = f"sudo apt-get install {package}" if package else "cargo build --release -p consolepass-cli"
        raise FileNotFoundError(f"{program} is missing: {remedy}")
    return found


def free_port() -> int:
    """A port for programs that cannot be told to take a free one. Another may take it first; then they fail, loudly."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def family(root: int) -> list[int]:
    """A process and all its descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int(entry.joinpath("stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found, waiting = [], [root]
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting.extend(children.get(pid, []))
    return found
