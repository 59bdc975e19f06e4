"""Programs that the tests start: each says in one line of JSON when it is ready, and ends with its test."""

import json
import os
import queue
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAM = Path(os.environ.get("CONSOLEPASS_PROGRAM", ROOT / "target" / "debug" / "consolepass"))

# Seconds; it only ends a wait that would never end.
PATIENCE = 30.0


class Child:
    """A program that prints one JSON object when it is ready, and runs until it is told to end."""

    def __init__(self, command: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> None:
        self._process = subprocess.Popen(
            [str(word) for word in command],
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._lines: queue.Queue[bytes] = queue.Queue()
        self._words: list[bytes] = []
        threading.Thread(target=self._read_lines, daemon=True).start()
        threading.Thread(target=self._read_words, daemon=True).start()
        try:
            self.ready = json.loads(self._lines.get(timeout=PATIENCE))
        except (queue.Empty, ValueError) as error:
            self.stop()
            raise RuntimeError(f"{command[0]} did not get ready: {self.words()}") from error

    def words(self) -> str:
        """What the program wrote to its standard error."""
        return b"".join(self._words).decode(errors="replace")

    def stop(self) -> int:
        """Asks the program to end, as Ctrl-C would; its exit status."""
        if self._process.poll() is None:
            self._process.terminate()
        try:
            return self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise

    def __enter__(self) -> "Child":
        return self

    def __exit__(self, *_reason: object) -> None:
        self.stop()

    def _read_lines(self) -> None:
        for line in self._process.stdout:
            self._lines.put(line)
        # Whoever waits for a line learns that none will come.
        self._lines.put(b"")

    def _read_words(self) -> None:
        self._words.extend(self._process.stderr)


def consolepass(*arguments: str, environment: Mapping[str, str] | None = None) -> tuple[int, dict]:
    """Runs a command of ours to its end with `--json`: its exit status and the last object that it printed."""
    done = subprocess.run(
        [str(PROGRAM), *arguments, "--json"],
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    printed = done.stdout.decode().splitlines()
    if not printed:
        raise RuntimeError(f"consolepass {arguments[0]} printed nothing: {done.stderr.decode(errors='replace')}")
    return done.returncode, json.loads(printed[-1])
