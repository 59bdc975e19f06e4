"""Python programs that a test runs as processes of their own, with the package where it lies."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent / "python"
# Seconds; a program that takes longer hangs.
PATIENCE = 30


def environment(**more):
    path = os.pathsep.join(filter(None, [str(PACKAGE), str(Path(__file__).parent), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path, "PYTHONFAULTHANDLER": "1", **more}


def run(source, *arguments, **more):
    """Runs a program to its end: its status, output and errors."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(source), *map(str, arguments)],
        env=environment(**more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PATIENCE,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


class Running:
    """A program that says "ready" and goes on."""

    def __init__(self, source, *arguments, **more):
        self.process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(source), *map(str, arguments)],
            env=environment(**more),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        first = self.process.stdout.readline()
        if first.strip() != "ready":
            self.process.kill()
            raise AssertionError(f"{first!r}: {self.process.communicate()[1]}")

    def interrupt(self):
        self.process.send_signal(signal.SIGINT)

    def end(self):
        try:
            output, errors = self.process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        return self.process.returncode, output, errors

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
