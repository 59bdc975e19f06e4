"""The runner: what it counts, what it prints last, and that nothing it was to run goes missing."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import run
import suites
import totals
from suites import Suite
from totals import Totals


def program(name, code, read=None, **rest):
    return Suite(name, (sys.executable, "-c", code), read, **rest)


PASSES = program("passes", "print('3 passed in 0.1s')", totals.of_pytest)
FAILS = program("fails", "print('1 failed, 3 passed in 0.1s'); exit(1)", totals.of_pytest)


@pytest.fixture
def makefile(tmp_path, monkeypatch):
    """A project of the test's own, with a Makefile to prepare things from."""
    monkeypatch.setattr(run, "ROOT", tmp_path)

    def write(text):
        (tmp_path / "Makefile").write_text(text)

    return write


def last_line(capfd):
    return capfd.readouterr().out.rstrip("\n").splitlines()[-1]


def test_the_last_line_is_the_sum_and_nothing_else(capfd):
    assert run.main([], [PASSES, FAILS]) == 1

    assert last_line(capfd) == "6 passed, 1 failed"


def test_the_exit_status_is_0_when_everything_passed(capfd):
    assert run.main([], [PASSES, program("check", "")]) == 0

    assert last_line(capfd) == "4 passed, 0 failed"


def test_what_a_suite_prints_is_shown(capfd):
    run.main([], [program("talks", "import sys; print('aloud'); print('aside', file=sys.stderr)")])

    shown = capfd.readouterr().out
    assert "aloud" in shown
    assert "aside" in shown


def test_only_the_named_suites_run(capfd):
    assert run.main(["passes"], [PASSES, FAILS]) == 0

    assert last_line(capfd) == "3 passed, 0 failed"


def test_a_name_that_no_suite_has_is_refused(capfd):
    assert run.main(["pases"], [PASSES]) == 2

    assert "no suite is called pases" in capfd.readouterr().err


def test_a_command_that_is_one_check_counts_as_one(capfd):
    assert run.run(program("good", "")).totals == Totals(1, 0)
    assert run.run(program("bad", "exit(3)")).totals == Totals(0, 1)


def test_a_suite_that_prints_no_totals_failed(capfd):
    assert run.run(program("silent", "", totals.of_cargo)).totals == Totals(0, 1)


def test_a_command_that_does_not_exist_is_a_failure(capfd):
    result = run.run(Suite("missing", ("/no/such/command",), None))

    assert result.totals == Totals(0, 1)
    assert "did not run" in result.remark


def test_a_suite_without_any_test_file_is_a_failure(capfd):
    result = run.run(Suite("empty", ("node", "--test"), totals.of_node, files="no/such/*.test.mjs"))

    assert result.totals == Totals(0, 1)
    assert "no file is called no/such/*.test.mjs" in result.remark


def test_a_suite_whose_preparation_failed_does_not_run_and_is_counted(makefile, capfd):
    makefile("broken:\n\t@exit 1\n")
    suite = program("needs", "print('it ran: 3 passed in 0.1s')", totals.of_pytest, needs=("broken",))

    results = run.run_all([suite])

    assert results[0].totals == Totals(0, 1)
    assert results[0].remark == "did not run: make broken failed"
    assert "it ran" not in capfd.readouterr().out


def test_each_thing_is_prepared_once(makefile, tmp_path, capfd):
    makefile("thing:\n\t@echo prepared >>counted\n")
    needy = program("needy", "", needs=("thing",))

    run.run_all([needy, needy])

    assert (tmp_path / "counted").read_text() == "prepared\n"


def test_a_suite_that_hangs_is_ended_and_counted(capfd):
    hangs = program("hangs", "import time; print('3 passed in 0.1s', flush=True); time.sleep(3600)", totals.of_pytest)

    result = run.run(Suite(hangs.name, hangs.command, hangs.read, limit=0.5))

    assert result.totals.failed == 1
    assert "was ended" in result.remark


def test_what_a_suite_leaves_behind_is_ended_with_it(tmp_path, capfd):
    # The child holds the pipe open: without its end the runner would wait for an hour.
    leaves = program(
        "leaves",
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(3600)'])\n"
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(child.pid))",
    )

    run.run(leaves)

    child = Path("/proc", (tmp_path / "pid").read_text())
    deadline = time.monotonic() + 10
    while child.exists() and "\nState:\tZ" not in child.joinpath("status").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_suite_has_no_standard_input(capfd):
    reads = program("reads", "import sys; exit(sys.stdin.read() != '')")

    assert run.run(reads).totals == Totals(1, 0)


def test_a_suite_does_not_know_of_the_make_above_it(monkeypatch):
    monkeypatch.setenv("MAKEFLAGS", "-j --jobserver-auth=3,4")

    seen = suites.environment(PASSES)

    assert "MAKEFLAGS" not in seen
    assert seen["CI"] == "true"


def test_a_suite_may_add_to_its_environment():
    assert suites.environment(program("docs", "", environment={"RUSTDOCFLAGS": "-D warnings"}))["RUSTDOCFLAGS"]


def test_every_need_is_a_target_of_the_makefile():
    needs = sorted({need for suite in suites.SUITES for need in suite.needs})

    asked = subprocess.run(["make", "-n", *needs], cwd=suites.ROOT, env=suites.environment(PASSES), capture_output=True)

    assert asked.returncode == 0, asked.stderr.decode()


def test_every_name_is_used_once():
    names = [suite.name for suite in suites.SUITES]

    assert len(set(names)) == len(names)


def test_every_suite_that_the_makefile_names_exists():
    makefile = (suites.ROOT / "Makefile").read_text()
    named = [word for line in makefile.splitlines() if line.startswith("\t@$(RUN)") for word in line.split()[1:]]

    assert named
    assert set(named) <= {suite.name for suite in suites.SUITES}


def test_the_files_of_a_suite_are_found_in_its_own_order():
    found = Suite("tools", ("run",), None, files="tests/tools/*.py").arguments()

    assert found[0] == "run"
    assert list(found[1:]) == sorted(found[1:])
    assert os.path.join("tests", "tools", "run.py") in found
