"""Every suite of `make test`, in the order in which they run: quick and telling ones first."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from glob import glob
from pathlib import Path

import totals
from totals import Totals

ROOT = Path(__file__).resolve().parent.parent.parent
PYTEST = (".venv/bin/python", "-m", "pytest")
NODE_TEST = ("node", "--test", "--test-reporter=spec", "--test-timeout=120000", "--test-concurrency=1")


@dataclass(frozen=True)
class Suite:
    name: str
    command: tuple[str, ...]
    # Reads the output. None for a command that is itself one test, which its exit status decides.
    read: Callable[[str], Totals | None] | None
    # Targets of the Makefile that must be there first.
    needs: tuple[str, ...] = ()
    folder: str = "."
    environment: dict[str, str] = field(default_factory=dict)
    # Files that the shell would expand: looked for when the suite starts, and none found is a failure.
    files: str = ""
    # Seconds until a suite that hangs is ended and counted as failed.
    limit: float = 900.0

    def arguments(self) -> tuple[str, ...]:
        if not self.files:
            return self.command
        found = sorted(glob(self.files, root_dir=ROOT / self.folder))
        if not found:
            raise FileNotFoundError(f"no file is called {self.files}")
        return (*self.command, *found)


def check(name: str, *command: str, **rest: object) -> Suite:
    return Suite(name, command, None, **rest)


SUITES = (
    Suite("tools", (*PYTEST, "-q", "tests/tools"), totals.of_pytest, needs=("python",)),
    check("rustfmt", "cargo", "fmt", "--all", "--check", needs=("system",)),
    check("viewer-types", "npm", "run", "check", needs=("viewer",), folder="viewer"),
    Suite("viewer", ("npm", "test", "--", "--test-reporter=spec"), totals.of_node, needs=("viewer",), folder="viewer"),
    # Before clippy: cargo test compiles what the others use, and a compiler's error is best seen once.
    Suite(
        "rust",
        ("cargo", "test", "--locked", "--workspace", "--no-fail-fast"),
        totals.of_cargo,
        needs=("viewer", "guest"),
        limit=1800.0,
    ),
    check(
        "clippy",
        *("cargo", "clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"),
        needs=("viewer",),
    ),
    check(
        "clippy-no-relay",
        *("cargo", "clippy", "--locked", "-p", "consolepass", "--no-default-features", "--", "-D", "warnings"),
    ),
    check(
        "documentation",
        *("cargo", "doc", "--locked", "--workspace", "--no-deps"),
        needs=("viewer",),
        environment={"RUSTDOCFLAGS": "-D warnings"},
    ),
    Suite("guest", (*PYTEST, "tests/guest"), totals.of_pytest, needs=("python", "guest")),
    Suite("conformance", (*PYTEST, "tests/conformance"), totals.of_pytest, needs=("python", "cli")),
    Suite(
        "conformance-node",
        NODE_TEST,
        totals.of_node,
        needs=("node", "cli"),
        files="tests/conformance/*.test.mjs",
    ),
    Suite("python", (*PYTEST, "-q", "bindings/python/tests"), totals.of_pytest, needs=("python-face",)),
    Suite("php", ("phpunit", "-c", "bindings/php/phpunit.xml"), totals.of_phpunit, needs=("node", "cli")),
    Suite("node", NODE_TEST, totals.of_node, needs=("node", "node-addon"), files="bindings/node/test/*.test.mjs"),
    Suite(
        "scenario",
        (*PYTEST, "tests/scenario"),
        totals.of_pytest,
        needs=("python-face", "node-addon", "examples", "guest"),
    ),
    Suite("e2e", NODE_TEST, totals.of_node, needs=("node", "node-addon", "guest"), files="tests/e2e/*.test.mjs"),
    Suite(
        "demo",
        ("make", "demo", "CHECK=1"),
        totals.of_checks,
        needs=("node", "cli", "guest"),
        limit=300.0,
    ),
)


def environment(suite: Suite) -> dict[str, str]:
    """What a suite sees: no make above it, no colours, and no difference between a terminal and a build server."""
    own = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    return {**own, "CI": "true", "NO_COLOR": "1", "CARGO_TERM_COLOR": "never", **suite.environment}
