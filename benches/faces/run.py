"""What each face costs: one `open` beside Rust's, passes, memory after many consoles, and the size of each library.

The faces take turns, against one scripted hypervisor after another, so that a busy machine is busy for all of them.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "tests/conformance"))

from child import PROGRAM, Child  # noqa: E402

BUILT = PROGRAM.parent
FACES = {
    "rust": [BUILT / "examples/measure"],
    "c": ["measure-c"],
    "python": [sys.executable, HERE / "measure.py"],
    "node": ["node", HERE / "measure.mjs"],
    "php": ["php", HERE / "measure.php"],
}
LIBRARIES = {"c, php": "libconsolepass_ffi.so", "python": "libconsolepass_python.so", "node": "libconsolepass_node.so"}
ACCOUNT = {"PVE_TOKEN_ID": "portal@pve!console", "PVE_TOKEN_SECRET": "8f2a6c1e-5b1d-4f0e-9c57-1f0c2d3e4b5a"}
ANSWER = {
    "port": "5900",
    "ticket": "PVEVNC:6B0269DE::" + "rRd5NFq+3b/kZ0+k" * 21 + "Qw==",
    "upid": "UPID:pve1:0009C8B1:0195D9C4:6B0261D7:vncproxy:101:portal@pve!console:",
    "user": "portal@pve!console",
    "cert": "",
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="how often each opens consoles, in turns")
    parser.add_argument("--fresh", type=int, default=40, help="how many consoles in each round, each on a new connection")
    parser.add_argument("--open", type=int, default=10_000, help="how many consoles for the memory")
    parser.add_argument("--issue", type=int, default=20_000, help="how many passes of each sort")
    settings = parser.parse_args()

    with tempfile.TemporaryDirectory(prefix="consolepass-bench-") as folder:
        key = Path(folder) / "pass.jwk"
        subprocess.run([PROGRAM, "pass", "--new-key", key], check=True, capture_output=True)
        bench = Bench(Path(folder), key)
        opens: dict[str, list[float]] = {face: [] for face in FACES}
        for number in range(settings.rounds):
            print(f"round {number + 1} of {settings.rounds}", file=sys.stderr, flush=True)
            for face, all_of_it in opens.items():
                all_of_it.extend(bench.measure(face, "fresh", settings.fresh))
        memory = {face: bench.measure(face, "open", settings.open) for face in FACES}
        passes = {face: bench.measure(face, "issue", settings.issue) for face in FACES}
    report(opens, memory, passes, settings)
    return 0


class Bench:
    def __init__(self, folder: Path, key: Path) -> None:
        self._script = folder / "script.json"
        # Copies, with the libraries that are to be measured: the checkout has those of the tests.
        python, node = folder / "python", folder / "node"
        shutil.copytree(ROOT / "bindings/python/python", python)
        leave = shutil.ignore_patterns("node_modules", "test", "src", "native.node", "*.so")
        shutil.copytree(ROOT / "bindings/node", node, ignore=leave)
        self._c = self._compiled(folder)
        shutil.copy(BUILT / LIBRARIES["python"], python / "consolepass/_native.abi3.so")
        shutil.copy(BUILT / LIBRARIES["node"], node / "native.node")
        self._environment = {
            **os.environ,
            **ACCOUNT,
            "PASS_KEY_FILE": str(key),
            "PYTHONPATH": str(python),
            "CONSOLEPASS_NODE": str(node / "index.mjs"),
            "CONSOLEPASS_LIBRARY": str(BUILT / "libconsolepass_ffi.so"),
        }

    @staticmethod
    def _compiled(folder: Path) -> Path:
        prefix, program = folder / "prefix", folder / "measure-c"
        subprocess.run([ROOT / "crates/ffi/install.sh", BUILT / "deps", prefix], check=True, stdout=subprocess.DEVNULL)
        library = prefix / "lib"
        flags = [f"-I{prefix}/include", f"-L{library}", f"-Wl,-rpath,{library}", "-lconsolepass"]
        subprocess.run(["cc", "-O2", "-std=c11", "-o", program, HERE / "measure.c", *flags], check=True)
        return program

    def measure(self, face: str, what: str, count: int):
        # Passes need no hypervisor, but an address of one.
        self._write(1 if what == "issue" else count)
        with Child([PROGRAM, "emulate", "script", self._script, "--json"]) as hypervisor:
            place = {"PVE_HOST": hypervisor.ready["address"], "PVE_FINGERPRINT": hypervisor.ready["fingerprint"]}
            done = subprocess.run(
                [str(self._c if word == "measure-c" else word) for word in (*FACES[face], what, count)],
                env={**self._environment, **place},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                check=True,
            )
        return json.loads(done.stdout)

    def _write(self, count: int) -> None:
        exchange = {
            "request": {"method": "POST", "path": "/api2/json/nodes/pve1/qemu/101/vncproxy"},
            "response": {"status": 200, "reason": "OK", "json": {"data": ANSWER}},
        }
        self._script.write_text(json.dumps({"name": "many", "exchanges": [exchange] * count}))


def report(opens: dict, memory: dict, passes: dict, settings: argparse.Namespace) -> None:
    of_rust = statistics.median(opens["rust"])
    print(f"medians of {settings.rounds * settings.fresh} opens, each on a connection of its own; loopback")
    print(f"{'':<8} {'open ms':>8} {'more ms':>8} {'signed us':>10} {'opaque us':>10} {'RSS MiB':>8} {'grown MiB':>10}")
    for face, found in opens.items():
        median = statistics.median(found)
        first, last = (memory[face][name] / 1024 for name in ("first", "last"))
        print(
            f"{face:<8} {median / 1e3:>8.2f} {(median - of_rust) / 1e3:>8.2f} {passes[face]['signed']:>10.1f}"
            f" {passes[face]['opaque']:>10.1f} {last:>8.1f} {last - first:>10.1f}"
        )
    print(f"more: beside Rust; signed, opaque: one pass; RSS: after {settings.open} opens; grown: since a tenth of them")
    for face, name in LIBRARIES.items():
        print(f"{name:<28} {(BUILT / name).stat().st_size / 1e6:>5.2f} MB  ({face})")


if __name__ == "__main__":
    sys.exit(main())
