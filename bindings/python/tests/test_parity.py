"""One truth: the tables, the types, and the two modules say the same."""

import ast
import inspect
import json
import subprocess
import sys
import typing
from pathlib import Path

import pytest

import consolepass
import consolepass._errors
import consolepass._options
import consolepass.aio

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = ROOT / "bindings/python/python/consolepass"
TABLES = json.loads((ROOT / "tests/tables.json").read_text())
ROWS = TABLES["options"]
SCOPES = sorted({row["scope"] for row in ROWS})
# What a class takes by its place, and the types do not name a second time.
BY_PLACE = {"proxmox": {"host"}, "vnc": {"host"}}


def test_there_are_tables():
    assert len(ROWS) >= 36 and len(TABLES["codes"]) >= 30


@pytest.mark.parametrize("scope", SCOPES)
def test_the_types_name_every_option_and_nothing_else(scope):
    types = typing.get_type_hints(
        getattr(consolepass._options, f"{scope.capitalize()}Options"), vars(consolepass._options)
    )

    assert set(types) | BY_PLACE.get(scope, set()) == {row["name"] for row in ROWS if row["scope"] == scope}


def test_the_types_are_as_the_table_makes_them():
    tool = ROOT / "bindings/python/tools/options.py"
    done = subprocess.run([sys.executable, tool, "--check"], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("scope", SCOPES)
def test_the_library_knows_every_option_and_nothing_else(scope, account, key_file):
    backend = consolepass.Proxmox(**account)
    relay = consolepass.Relay({"dc1": backend}, public_url="https://p")
    make = {
        "proxmox": lambda **options: consolepass.Proxmox("pve", **options),
        "vnc": lambda **options: consolepass.Vnc("vnc", **options),
        "relay": lambda **options: consolepass.Relay({"dc1": backend}, **options),
        "issuer": lambda **options: consolepass.Issuer(**options),
        "pass": lambda **options: relay.issue("dc1", "qemu/101", **options),
        "page": lambda **options: relay.issue("dc1", "qemu/101").novnc_url("https://p/vnc.html", **options),
    }[scope]

    with pytest.raises(consolepass.InvalidArgument) as refused:
        make(no_such_option="x")

    known = str(refused.value).partition("the options are ")[2].split(", ")
    assert set(known) == {row["name"] for row in ROWS if row["scope"] == scope}


def test_every_code_has_a_class_and_its_words_are_the_tables():
    classes = consolepass._errors.CLASSES

    assert set(classes) == {code["name"] for code in TABLES["codes"]}
    assert all(issubclass(kind, consolepass.Error) and kind is not consolepass.Error for kind in classes.values())
    assert {kind.__name__ for kind in classes.values()} <= set(consolepass.__all__)
    for code in TABLES["codes"]:
        assert consolepass._native.close_code(code["name"]) == 4000 + code["number"]


def test_the_words_of_an_error_are_the_tables(proxmox):
    with pytest.raises(consolepass.InvalidArgument) as refused:
        proxmox.open("")

    row = next(code for code in TABLES["codes"] if code["name"] == "invalid_argument")
    said = refused.value
    assert (said.sentence, said.hint, said.retryable) == (row["sentence"], row["hint"], row["retryable"])
    # Those that Python itself finds wrong say the same.
    found_here = consolepass._errors.invalid("x", "y")
    assert (found_here.sentence, found_here.hint) == (row["sentence"], row["hint"])


def test_an_option_that_only_a_newer_library_knows_goes_through(pve):
    """The names go to the core as they are: the error is its own, and lists what it knows."""
    with pytest.raises(consolepass.InvalidArgument, match="unknown option \"from_tomorrow\""):
        consolepass.Proxmox(pve.address, from_tomorrow=1)


def test_both_modules_have_the_same_names():
    assert consolepass.__all__ == consolepass.aio.__all__ == sorted(consolepass.__all__)
    for name in consolepass.__all__:
        assert hasattr(consolepass, name) and hasattr(consolepass.aio, name)
    for module in (consolepass, consolepass.aio):
        public = {name for name, value in vars(module).items() if not name.startswith("_") and not inspect.ismodule(value)}
        foreign = {"annotations", "Iterator", "AsyncIterator", "TracebackType", "PassOptions", "Self", "Unpack"}
        bases = {"ProxmoxBase", "VncBase", "RelayBase", "IssuerBase", "EventsBase", "done"}
        assert public - foreign - bases == set(consolepass.__all__), module


TWINS = ["Proxmox", "Vnc", "Relay", "Issuer", "Events"]
# What each protocol of Python calls the same thing in the other world.
MIRRORED = {"__iter__": "__aiter__", "__next__": "__anext__", "__enter__": "__aenter__", "__exit__": "__aexit__"}


@pytest.mark.parametrize("name", TWINS)
def test_a_class_and_its_twin_have_the_same_methods_with_the_same_signatures(name):
    here, there = getattr(consolepass, name), getattr(consolepass.aio, name)
    own = {MIRRORED.get(method, method): value for method, value in vars(here).items() if inspect.isfunction(value)}
    twins = {method: value for method, value in vars(there).items() if inspect.isfunction(value)}

    assert set(own) == set(twins)
    assert here.__doc__ == there.__doc__ and here.__doc__
    assert here.__mro__[1] is there.__mro__[1]
    for method, value in own.items():
        ours, other = inspect.signature(value), inspect.signature(twins[method])
        assert list(ours.parameters.items()) == list(other.parameters.items()), method
        if not method.startswith("_"):
            assert value.__doc__ == twins[method].__doc__ and value.__doc__, method


def test_what_waits_is_awaited_there_and_nothing_else():
    waiting = {}
    for name in TWINS:
        for method, value in vars(getattr(consolepass.aio, name)).items():
            if inspect.isfunction(value) and not method.startswith("__"):
                source = inspect.getsource(getattr(getattr(consolepass, name), method))
                waiting[f"{name}.{method}"] = (inspect.iscoroutinefunction(value), ".wait()" in source)

    assert len(waiting) >= 9
    assert all(is_awaited == waits for is_awaited, waits in waiting.values()), waiting


def test_what_is_the_same_in_both_is_one_thing():
    for name in set(consolepass.__all__) - set(TWINS):
        assert getattr(consolepass, name) is getattr(consolepass.aio, name), name


def test_everything_public_is_documented():
    for name in consolepass.__all__:
        value = getattr(consolepass, name)
        assert inspect.getdoc(value), name
        if inspect.isclass(value):
            for member, attribute in vars(value).items():
                if not member.startswith("_") and (callable(attribute) or isinstance(attribute, property)):
                    assert inspect.getdoc(attribute), f"{name}.{member}"


def test_the_version_is_the_workspaces():
    import tomllib

    workspace = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]
    project = tomllib.loads((ROOT / "bindings/python/pyproject.toml").read_text())["project"]

    assert consolepass.__version__ == workspace["version"]
    assert "version" in project["dynamic"], "maturin takes it from Cargo.toml"


def test_no_module_of_the_package_is_imported_for_nothing():
    """Frameworks and proxmoxer are the portal's: the package imports without any of them."""
    imported = set()
    for path in PACKAGE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                imported.add(node.module.split(".")[0])

    assert imported - set(sys.stdlib_module_names) == {"typing_extensions"}, "which only type checkers import"
