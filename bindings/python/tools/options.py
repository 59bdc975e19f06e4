"""Writes `consolepass/_options.py`, the types of all options, from the table: `python bindings/python/tools/options.py`.

At run time the options go to the core as they are, so a new row of the table works without this; only the types lack it,
and a test says so.
"""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent.parent
OUTPUT = ROOT / "bindings/python/python/consolepass/_options.py"

HEAD = '''"""The options of everything that takes some, with their types.

Made by tools/options.py from the table that every language reads. None stands for an option that is not given.
"""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import TypedDict
'''
# What a class takes by its place, and names itself.
POSITIONAL = {"proxmox": ("host",), "vnc": ("host",)}
DOCUMENTATION = {
    "proxmox": "A Proxmox VE backend.",
    "vnc": "A plain RFB server as a backend.",
    "relay": "A relay.",
    "issuer": "An issuer without a relay.",
    "pass": "One pass.",
    "page": "A link to somebody's noVNC page.",
}


def written() -> str:
    rows = json.loads((ROOT / "tests/tables.json").read_text())["options"]
    scopes: dict[str, list[dict]] = {}
    for row in rows:
        scopes.setdefault(row["scope"], []).append(row)
    return HEAD + "".join(a_class(scope, rows) for scope, rows in scopes.items())


def a_class(scope: str, rows: list[dict]) -> str:
    lines = ["", "", f"class {scope.capitalize()}Options(TypedDict, total=False):"]
    lines.append(f'    """{DOCUMENTATION.get(scope, scope)}"""')
    lines.append("")
    for row in rows:
        if row["name"] in POSITIONAL.get(scope, ()):
            continue
        lines.append(f"    {row['name']}: {type_of(row)} | None")
        lines.append(f'    """{meaning_of(row)}"""')
    return "\n".join(lines) + "\n"


def type_of(row: dict) -> str:
    if row["name"].endswith("_file"):
        return "str | PathLike[str]"
    return {
        "string": "str",
        "secret": "str",
        "list": "str | Sequence[str]",
        "boolean": "bool",
        "integer": "int",
        "seconds": "int",
    }[row["type"]]


def meaning_of(row: dict) -> str:
    words = row["meaning"]
    if row["type"] == "seconds":
        words += f" In seconds, {row['min']} to {row['max']}."
    if row["type"] == "integer":
        words += f" {row['min']} to {row['max']}."
    if row.get("default") is not None:
        words += f" The default is {row['default']}."
    return words


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        sys.exit(0 if OUTPUT.read_text() == written() else f"{OUTPUT.name} is stale: run {sys.argv[0]}")
    OUTPUT.write_text(written())
