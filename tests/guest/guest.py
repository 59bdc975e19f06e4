"""A real QEMU with our boot sector in it: start it, type, and look at its screen, without any VNC in between.

Run as a program it types a word and saves what the screen then shows:

    python3 tests/guest/guest.py target/guest/boot.img target/guest/screen.png
"""

import json
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from dataclasses import dataclass
from pathlib import Path

# Seconds. TCG on a busy machine is slow, and this only ends a wait that would never end.
PATIENCE = 30.0

READY = "consolepass guest ready\n"
TITLE = "consolepass guest   what you type is shown here and sent to the serial port"
TITLE_AT = (1, 2)
FIRST_ROW = 4
LAST_ROW = 21

# VGA text mode: 80 by 25 cells in 720 by 400 pixels.
CELL_WIDTH, CELL_HEIGHT = 9, 16

KEY_NAMES = {" ": "spc", "\n": "ret", "\b": "backspace", "-": "minus", "=": "equal", ".": "dot", ",": "comma"}


@dataclass(frozen=True)
class Picture:
    """A screen: rows of RGB bytes."""

    width: int
    height: int
    pixels: bytes

    @classmethod
    def from_ppm(cls, data: bytes) -> "Picture":
        kind, width, height, depth, pixels = data.split(maxsplit=4) if data[:2] == b"P6" else (b"", 0, 0, 0, b"")
        if kind != b"P6" or depth != b"255":
            raise ValueError("the screen dump is no 24-bit PPM")
        width, height = int(width), int(height)
        # `split` would take a first pixel that looks like white space for the end of the header.
        return cls(width, height, data[len(data) - 3 * width * height :])

    def pixel(self, x: int, y: int) -> tuple[int, int, int]:
        at = 3 * (y * self.width + x)
        return tuple(self.pixels[at : at + 3])

    def cell(self, row: int, column: int) -> frozenset[tuple[int, int]]:
        """The ink of one cell: which of its pixels do not have the colour of its upper left corner."""
        left, top = column * CELL_WIDTH, row * CELL_HEIGHT
        paper = self.pixel(left, top)
        return frozenset(
            (x, y)
            for y in range(CELL_HEIGHT)
            for x in range(CELL_WIDTH)
            if self.pixel(left + x, top + y) != paper
        )

    def text(self, row: int, column: int, length: int) -> str:
        """What the pixels say, read with the letters of the title as the alphabet; `?` for any other character."""
        title_row, title_column = TITLE_AT
        alphabet = {self.cell(title_row, title_column + at): letter for at, letter in enumerate(TITLE)}
        return "".join(alphabet.get(self.cell(row, column + at), "?") for at in range(length))

    def png(self) -> bytes:
        def chunk(name: bytes, data: bytes) -> bytes:
            return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

        stride = 3 * self.width
        rows = b"".join(b"\0" + self.pixels[at : at + stride] for at in range(0, len(self.pixels), stride))
        header = struct.pack(">IIBBBBB", self.width, self.height, 8, 2, 0, 0, 0)
        return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


class Guest:
    """A running guest. `vnc` is the path of its VNC server's socket, `serial_file` what its serial port wrote."""

    def __init__(self, image: Path) -> None:
        qemu = shutil.which("qemu-system-x86_64")
        if qemu is None:
            raise FileNotFoundError("qemu-system-x86_64 is missing: sudo apt-get install qemu-system-x86")
        self.folder = Path(tempfile.mkdtemp(prefix="consolepass-guest-"))
        self.vnc = self.folder / "vnc.sock"
        self.serial_file = self.folder / "serial"
        self._words = self.folder / "qemu.log"
        monitor = self.folder / "qmp.sock"
        with self._words.open("wb") as words:
            self._process = subprocess.Popen(
                [
                    qemu,
                    *("-accel", "tcg", "-display", "none", "-nodefaults", "-vga", "std", "-m", "16"),
                    *("-drive", f"file={image},format=raw,snapshot=on"),
                    *("-vnc", f"unix:{self.vnc}"),
                    *("-serial", f"file:{self.serial_file}"),
                    *("-qmp", f"unix:{monitor},server=on,wait=off"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=words,
            )
        self._monitor = None
        try:
            self.wait(monitor.exists, "its monitor")
            self._monitor = socket.socket(socket.AF_UNIX)
            self._monitor.settimeout(PATIENCE)
            self._monitor.connect(str(monitor))
            self._answers = self._monitor.makefile("rb")
            self._answers.readline()  # the greeting
            self._command("qmp_capabilities")
            self.wait(lambda: self.serial() == READY, "the word that it is ready")
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Guest":
        return self

    def __exit__(self, *_reason: object) -> None:
        self.close()

    def close(self) -> None:
        if self._monitor is not None:
            self._monitor.close()
        self._process.terminate()
        self._process.wait(PATIENCE)
        shutil.rmtree(self.folder, ignore_errors=True)

    def serial(self) -> str:
        return self.serial_file.read_bytes().decode("ascii") if self.serial_file.exists() else ""

    def typed(self) -> str:
        """What the keyboard has sent since the guest was ready."""
        return self.serial().removeprefix(READY)

    def wait(self, condition, what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            if self._process.poll() is not None:
                raise RuntimeError(f"qemu ended: {self._words.read_text(errors='replace')}")
            if time.monotonic() > deadline:
                raise TimeoutError(f"the guest did not show {what} within {PATIENCE:.0f} s")
            time.sleep(0.02)

    def press(self, *keys: str) -> None:
        """Presses keys together, by QEMU's names of keys."""
        self._command("send-key", keys=[{"type": "qcode", "data": key} for key in keys])

    def type(self, text: str) -> None:
        """Types, and waits after each character until the guest has it."""
        for character in text:
            before = len(self.serial())
            name = KEY_NAMES.get(character, character.lower())
            self.press(*(["shift"] if character.isupper() else []), name)
            self.wait(lambda: len(self.serial()) > before, f"the key {character!r}")

    def screen(self) -> Picture:
        dump = self.folder / "screen.ppm"
        self._command("screendump", filename=str(dump))
        return Picture.from_ppm(dump.read_bytes())

    def _command(self, name: str, **arguments: object) -> object:
        self._monitor.sendall(json.dumps({"execute": name, "arguments": arguments}).encode() + b"\n")
        while True:
            answer = json.loads(self._answers.readline() or '{"error": {"desc": "the monitor hung up"}}')
            if "error" in answer:
                raise RuntimeError(f"qemu: {name}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]


def main() -> int:
    if len(sys.argv) != 3:
        print("usage: guest.py IMAGE PICTURE.png", file=sys.stderr)
        return 2
    with Guest(Path(sys.argv[1])) as guest:
        guest.type("hello\nworld")
        row = FIRST_ROW + 1
        guest.wait(lambda: guest.screen().text(row, 0, 5) == "world", "the word that was typed")
        Path(sys.argv[2]).write_bytes(guest.screen().png())
        print(f"serial port: {guest.typed()!r}; screen saved as {sys.argv[2]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
