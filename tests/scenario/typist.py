"""A browser without a screen: connects with a pass, types, and says what became of it. See README.md."""

import json
import os
import struct
import sys
import time
from pathlib import Path

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "conformance"))
import rfb  # noqa: E402

ORIGIN = "http://portal.test"
PATIENCE = 30.0
CLIENT_INIT, KEY_EVENT = b"\x01", 4
PRIVATE_CODES = 4000


class Browser:
    """A connection that was let in or not, with its console as a stream."""

    def __init__(self, url: str, offer: str) -> None:
        self._socket = connect(url, origin=ORIGIN, subprotocols=[offer], compression=None, open_timeout=PATIENCE)
        self.stream = rfb.Stream(self)

    def recv(self) -> bytes | str:
        return self._socket.recv(timeout=PATIENCE)

    def send(self, data: bytes) -> None:
        self._socket.send(data)

    def end(self) -> int:
        """Reads to the end; the number of the code that it came with."""
        try:
            while True:
                self.recv()
        except ConnectionClosed as closed:
            if closed.rcvd is None:
                raise
            return closed.rcvd.code - PRIVATE_CODES


def names() -> dict[int, str]:
    tables = json.loads((Path(__file__).resolve().parent.parent / "tables.json").read_text())
    return {code["number"]: code["name"] for code in tables["codes"]}


def say(**facts: object) -> None:
    print(json.dumps(facts), flush=True)


def type_text(url: str, text: str) -> None:
    browser = Browser(url, "binary")
    assert rfb.security_types(browser.stream) == [rfb.NONE]
    assert rfb.choose_none(browser.stream) == rfb.OK
    browser.stream.write(CLIENT_INIT)
    *_rest, length = browser.stream.unpack(">HH16sI")
    browser.stream.read(length)
    serial = Path(os.environ["GUEST_SERIAL"])
    before = len(serial.read_bytes())
    for count, character in enumerate(text, 1):
        for down in (1, 0):
            browser.stream.write(struct.pack(">BBxxI", KEY_EVENT, down, ord(character)))
        wait(lambda count=count: len(serial.read_bytes()) >= before + count, f"the key {character!r} at the serial port")
    say(typed=serial.read_bytes()[before:].decode("ascii"))
    say(code=names()[browser.end()])


def refused(url: str) -> None:
    browser = Browser(url, "consolepass.1")
    end = json.loads(browser.recv())
    number = browser.end()
    assert names()[number] == end["code"], f"told {end['code']} and closed with {number}"
    say(code=end["code"])


def wait(condition, what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"no {what} within {PATIENCE:.0f} s")
        time.sleep(0.01)


def main(arguments: list[str]) -> None:
    match arguments:
        case ["type", url, text]:
            type_text(url, text)
        case ["refused", url]:
            refused(url)
        case _:
            sys.exit("usage: typist.py type URL TEXT | refused URL")


if __name__ == "__main__":
    main(sys.argv[1:])
