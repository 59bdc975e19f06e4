"""The scenario, in every language that consolepass has a face for."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
HERE = Path(__file__).resolve().parent
for folder in ("guest", "conformance"):
    sys.path.insert(0, str(ROOT / "tests" / folder))

from guest import Guest  # noqa: E402
from pve import NODE, PASSWORD, TOKEN_ID, TOKEN_SECRET, USER, Emulated  # noqa: E402

IMAGE = Path(os.environ.get("CONSOLEPASS_GUEST_IMAGE", ROOT / "target/guest/boot.img"))
TARGET = Path(os.environ.get("CONSOLEPASS_PROGRAM", ROOT / "target/debug/consolepass")).parent
SCENARIO = json.loads((HERE / "scenario.json").read_text())
# Seconds for one runner.
LIMIT = 60

RUNNERS = {
    "rust": lambda _folder: [TARGET / "examples/scenario"],
    "c": lambda folder: [compiled(folder)],
    "python": lambda _folder: [sys.executable, HERE / "runner.py"],
    "node": lambda _folder: ["node", HERE / "runner.mjs"],
    "php": lambda _folder: ["php", HERE / "runner.php"],
}


def compiled(folder: Path) -> Path:
    """The C runner, made as the library's users make their programs."""
    program, prefix = folder / "scenario", folder / "prefix"
    subprocess.run([ROOT / "crates/ffi/install.sh", TARGET / "deps", prefix], check=True, capture_output=True)
    library = prefix / "lib"
    subprocess.run(
        [
            *("cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic", "-D_POSIX_C_SOURCE=200809L"),
            *("-o", program, HERE / "runner.c", f"-I{prefix}/include"),
            *(f"-L{library}", f"-Wl,-rpath,{library}", "-lconsolepass", "-lcjson"),
        ],
        check=True,
    )
    return program


@pytest.fixture
def guest():
    with Guest(IMAGE) as running:
        yield running


@pytest.fixture
def hypervisor(guest):
    with Emulated(guests=(f"qemu/101=unix:{guest.vnc}",)) as emulated:
        yield emulated


@pytest.mark.parametrize("language", RUNNERS)
def test_a_portal_in(language, guest, hypervisor, tmp_path):
    environment = {
        **os.environ,
        "SCENARIO": str(HERE / "scenario.json"),
        "PVE_HOST": hypervisor.address,
        "PVE_FINGERPRINT": hypervisor.ready["fingerprint"],
        "PVE_TOKEN_ID": TOKEN_ID,
        "PVE_TOKEN_SECRET": TOKEN_SECRET,
        "PVE_USERNAME": USER,
        "PVE_PASSWORD": PASSWORD,
        "GUEST_SERIAL": str(guest.serial_file),
        "TYPIST": f"{sys.executable} {HERE / 'typist.py'}",
        # Where the packages lie that are not installed here.
        "PYTHONPATH": str(ROOT / "bindings/python/python"),
        "CONSOLEPASS_LIBRARY": str(TARGET / "libconsolepass_ffi.so"),
    }

    done = subprocess.run(
        [str(word) for word in RUNNERS[language](tmp_path)],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=LIMIT,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    seen = [json.loads(line) for line in done.stdout.splitlines()]
    assert [step["do"] for step in seen] == [step["do"] for step in SCENARIO]
    by_step = list(zip(SCENARIO, seen, strict=True))
    assert all(saw["machine"] == f"{NODE}/qemu/101" for step, saw in by_step if step["do"] == "open")
    for step, saw in by_step:
        if step["do"] == "type":
            assert saw["typed"] == step["text"] == guest.typed()
        if step["do"] == "be_refused":
            assert saw["code"] == step["code"]
        if step["do"] == "stop":
            assert saw["code"] == "shutting_down"
    for secret in (TOKEN_SECRET, PASSWORD):
        assert secret not in done.stdout + done.stderr
