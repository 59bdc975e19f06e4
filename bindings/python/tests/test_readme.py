"""README.md as it stands: every block of code in it is run, in an empty folder, as its reader would."""

import os
import re
import signal
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
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README.read_text(), re.MULTILINE | re.DOTALL)
FILES = {code.split("\n")[0].removeprefix("# "): code for kind, code in BLOCKS if kind == "python"}
# The folder of the programs of a Python that has the package installed, in place of the package where it lies.
INSTALLED = os.environ.get("CONSOLEPASS_INSTALLED")
COMMANDS = [code for kind, code in BLOCKS if kind == "sh"]


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
def folder(tmp_path_factory):
    """An empty folder with the README's files in it, and the emulated hypervisor running as the README says."""
    folder = tmp_path_factory.mktemp("readme")
    for name, code in FILES.items():
        (folder / name).write_text(code)
    with Command(COMMANDS[0], folder) as emulator:
        emulator.wait_for(r"ca.file\s+ca.pem")
        yield folder


def test_the_readme_has_blocks_and_all_are_run():
    assert len(FILES) == 7 and len(COMMANDS) == 5
    source = Path(__file__).read_text()
    assert all(name in source for name in FILES)
    assert all(f"COMMANDS[{number}]" in source for number in range(len(COMMANDS)))


def test_a_picture_in_ten_lines(folder):
    code = FILES["portal.py"]
    assert len([line for line in code.split("\n")[1:] if line]) <= 10
    with Command(COMMANDS[1], folder) as portal:
        link = portal.wait_for(r"Open (http://\S+)/#pass=(\S+)")
        with urllib.request.urlopen(f"{link[1]}/", timeout=browser.PATIENCE) as page:
            assert b"<script" in page.read()
        url = f"ws://127.0.0.1:28700/ws?pass={link[2]}"
        with browser.visit("127.0.0.1:28700", url, origin="http://127.0.0.1:28700") as socket:
            assert browser.is_screen(browser.picture(socket))
        portal.wait_for(r"taken qemu/101 \nconnected qemu/101 \nended qemu/101 closed")


@pytest.mark.parametrize(("name", "command", "port"), [("app.py", 2, 28000), ("flask_app.py", 3, 28001)])
def test_the_relay_on_the_portals_own_port(folder, name, command, port):
    assert name.removesuffix(".py") in (COMMANDS[2] if command == 2 else COMMANDS[3])
    with Command(COMMANDS[command], folder) as server:
        link = clicked(server, port)
        address = f"127.0.0.1:{port}"
        with urllib.request.urlopen(f"http://{address}/console/", timeout=browser.PATIENCE) as page:
            assert b"<script" in page.read()
        url = f"ws://{address}/console/ws?pass={link.partition('#pass=')[2]}"
        with browser.visit(address, url, origin=f"http://{address}") as socket:
            assert browser.is_screen(browser.picture(socket))


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def clicked(server, port):
    opener = urllib.request.build_opener(NoRedirect)
    deadline = time.monotonic() + browser.PATIENCE
    while True:
        try:
            opener.open(urllib.request.Request(f"http://127.0.0.1:{port}/machines/101/console", method="POST"))
        except urllib.error.HTTPError as answer:
            with answer:
                assert answer.status == 303, server.words()
                return answer.headers["Location"]
        except OSError:
            assert server.process.poll() is None and time.monotonic() < deadline, server.words()
            time.sleep(0.05)


def test_several_workers(folder):
    with Command(COMMANDS[4], folder) as prepared:
        prepared.done()
    with Command(in_environment("python workers.py"), folder) as program:
        assert program.done().startswith("http://127.0.0.1:28000/console/#pass=")


def in_environment(command):
    """The variables are those of the README's servers."""
    return COMMANDS[2].partition("uvicorn")[0] + command


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("take_over.py", "<consolepass.Console vnc of pve1/qemu/101>\n<consolepass.Console vnc of pve1/qemu/101>"),
        ("direct.py", "pve1/qemu/101 until"),
        ("errors.py", "machine_not_found check the number"),
    ],
)
def test_a_program_of_the_readme(folder, name, words):
    with Command(in_environment(f"python {name}"), folder) as program:
        assert words in program.done()
