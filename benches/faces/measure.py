"""One face's figures, in Python: see run.py."""

import json
import os
import sys
import time
from pathlib import Path

import consolepass

MACHINE = "pve1/qemu/101"


def proxmox() -> consolepass.Proxmox:
    return consolepass.Proxmox(
        os.environ["PVE_HOST"],
        fingerprint=os.environ["PVE_FINGERPRINT"],
        token_id=os.environ["PVE_TOKEN_ID"],
        token_secret=os.environ["PVE_TOKEN_SECRET"],
    )


def fresh(count: int) -> list[float]:
    """Microseconds of each `open` by a backend of its own."""
    found = []
    for _ in range(count):
        begin = time.perf_counter()
        proxmox().open(MACHINE)
        found.append((time.perf_counter() - begin) * 1e6)
    return found


def open_many(count: int) -> dict[str, int]:
    """Resident KiB after a tenth, and after all."""
    backend, first = proxmox(), 0
    for number in range(count):
        backend.open(MACHINE)
        if number == count // 10:
            first = resident()
    return {"first": first, "last": resident()}


def issue(count: int) -> dict[str, float]:
    """Microseconds of each pass."""
    place = {"public_url": "https://portal.example.com/console"}
    issuer = consolepass.Issuer(pass_key_file=os.environ["PASS_KEY_FILE"], **place)
    relay = consolepass.Relay({"dc1": proxmox()}, **place)
    found = {}
    for name, what in (("signed", issuer), ("opaque", relay)):
        begin = time.perf_counter()
        for _ in range(count):
            what.issue("dc1", MACHINE, user="42")
        found[name] = (time.perf_counter() - begin) * 1e6 / count
    return found


def resident() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS:")).split()[1])


if __name__ == "__main__":
    measure = {"fresh": fresh, "open": open_many, "issue": issue}[sys.argv[1]]
    print(json.dumps(measure(int(sys.argv[2]))))
