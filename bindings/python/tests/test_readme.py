"""Every block of code in README.md is run as it stands, in an empty folder, as its reader would. Only the ports are free ones."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import pytest

import browser
from program import environment

README = Path(__file__).resolve().parents[1] / "README.md"
# Of the hypervisor, the relay, and the portals with ASGI and WSGI.
PORTS = ("28006", "28700", "28000", "28001")
# The folder of the programs of a Python that has the package installed, in place of the package where it lies.
INSTALLED = os.environ.get("CONSOLEPASS_INSTALLED")


def free_ports():
    """Ports of this machine for those of the README. All are held until the last is found: none comes twice."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in PORTS]
    ports = [str(one.getsockname()[1]) for one in held]
    for one in held:
        one.close()
    return dict(zip(PORTS, ports, strict=True))


class Readme:
    """The README's blocks in a folder, and which of them were run."""

    def __init__(self, folder):
        blocks = re.findall(r"^```(\w+)\n(.*?)^```$", README.read_text(), re.MULTILINE | re.DOTALL)
        self.folder = folder
        self.ports = free_ports()
        self._blocks = [(kind, re.sub("|".join(PORTS), lambda found: self.ports[found[0]], code)) for kind, code in blocks]
        self._not_run = list(self._blocks)

    def not_run(self):
        return [code for _, code in self._not_run]

    def run(self, kind, part):
        """The only block of a kind that has something in it, for a test that runs it."""
        block = self._only(kind, part)
        if block in self._not_run:
            self._not_run.remove(block)
        return block[1]

    def file(self, name):
        """A program, put where its first line says."""
        code = self.run("python", f"# {name}\n")
        (self.folder / name).write_text(code)
        return code

    def command(self, part):
        return Command(self.run("sh", part), self.folder)

    def program(self, name):
        """A program that its reader runs as they like, with the variables of the README's servers."""
        self.file(name)
        variables = self._only("sh", "uvicorn")[1].partition("uvicorn")[0]
        return Command(f"{variables}python {name}", self.folder)

    def _only(self, kind, part):
        (block,) = (block for block in self._blocks if block[0] == kind and part in block[1])
        return block


class Command:
    """A command of the README, in its folder, with the package and this Python on their paths."""

    def __init__(self, code, folder):
        # Ctrl-C, to everything that the shell has started. Not for gunicorn, whose workers may take it a second time from
        # their master while they are in the handler of the first, and hang there.
        self.signal = signal.SIGTERM if "gunicorn" in code else signal.SIGINT
        binaries = os.pathsep.join([INSTALLED or str(Path(sys.executable).parent), os.environ["PATH"]])
        variables = environment(PATH=binaries)
        if INSTALLED:
            del variables["PYTHONPATH"]
        self.output = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            ["sh", "-c", code],
            cwd=folder,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=self.output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def words(self):
        self.output.seek(0)
        return self.output.read().decode()

    def wait_for(self, pattern):
        deadline = time.monotonic() + browser.PATIENCE
        while not (found := re.search(pattern, self.words())):
            assert self.process.poll() is None and time.monotonic() < deadline, self.words()
            time.sleep(0.05)
        return found

    def done(self):
        status = self.process.wait(browser.PATIENCE)
        assert status == 0, self.words()
        return self.words()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            os.killpg(self.process.pid, self.signal)
        try:
            self.process.wait(browser.PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            raise AssertionError(f"it did not end:\n{self.words()}") from None


@pytest.fixture(scope="module")
def readme(tmp_path_factory):
    """An empty folder, and the emulated hypervisor running in it as the README says."""
    readme = Readme(tmp_path_factory.mktemp("readme"))
    with readme.command("emulate proxmox") as emulator:
        emulator.wait_for(r"ca.file\s+ca.pem")
        yield readme


def test_a_picture_in_ten_lines(readme):
    code = readme.file("portal.py")
    assert len([line for line in code.split("\n")[1:] if line]) <= 10
    with readme.command("python portal.py") as portal:
        link = portal.wait_for(r"Open (http://\S+)/#pass=(\S+)")
        address = f"127.0.0.1:{readme.ports['28700']}"
        assert link[1] == f"http://{address}"
        with urllib.request.urlopen(f"{link[1]}/", timeout=browser.PATIENCE) as page:
            assert b"<script" in page.read()
        with browser.visit(address, f"ws://{address}/ws?pass={link[2]}", origin=link[1]) as websocket:
            assert browser.is_screen(browser.picture(websocket))
        portal.wait_for(r"taken qemu/101 \nconnected qemu/101 \nended qemu/101 closed")


@pytest.mark.parametrize(("name", "command", "port"), [("app.py", "uvicorn", "28000"), ("flask_app.py", "gunicorn", "28001")])
def test_the_relay_on_the_portals_own_port(readme, name, command, port):
    readme.file(name)
    address = f"127.0.0.1:{readme.ports[port]}"
    with readme.command(command) as server:
        assert name.removesuffix(".py") in readme.run("sh", command)
        link = clicked(server, address)
        with urllib.request.urlopen(f"http://{address}/console/", timeout=browser.PATIENCE) as page:
            assert b"<script" in page.read()
        url = f"ws://{address}/console/ws?pass={link.partition('#pass=')[2]}"
        with browser.visit(address, url, origin=f"http://{address}") as websocket:
            assert browser.is_screen(browser.picture(websocket))


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def clicked(server, address):
    opener = urllib.request.build_opener(NoRedirect)
    deadline = time.monotonic() + browser.PATIENCE
    while True:
        try:
            opener.open(urllib.request.Request(f"http://{address}/machines/101/console", method="POST"))
        except urllib.error.HTTPError as answer:
            with answer:
                assert answer.status == 303, server.words()
                return answer.headers["Location"]
        except OSError:
            assert server.process.poll() is None and time.monotonic() < deadline, server.words()
            time.sleep(0.05)


def test_several_workers(readme):
    with readme.command("--new-key") as prepared:
        prepared.done()
    with readme.program("workers.py") as program:
        assert program.done().startswith(f"http://127.0.0.1:{readme.ports['28000']}/console/#pass=")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("take_over.py", "<consolepass.Console vnc of pve1/qemu/101>\n<consolepass.Console vnc of pve1/qemu/101>"),
        ("direct.py", "pve1/qemu/101 until"),
        ("errors.py", "machine_not_found check the number"),
    ],
)
def test_a_program_of_the_readme(readme, name, words):
    with readme.program(name) as program:
        assert words in program.done()


def test_every_block_was_run(readme):
    """By the tests above: it fails when one of them is left out."""
    assert readme.not_run() == []
