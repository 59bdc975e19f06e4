"""Runs the suites, shows what they print, and closes with one line: `N passed, N failed`.

    python3 tests/tools/run.py              every suite
    python3 tests/tools/run.py rust e2e     these
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from suites import ROOT, SUITES, Suite, environment
from totals import Totals, judge


@dataclass(frozen=True)
class Result:
    name: str
    totals: Totals
    seconds: float
    remark: str = ""


def main(arguments: Sequence[str], suites: Sequence[Suite] = SUITES) -> int:
    by_name = {suite.name: suite for suite in suites}
    unknown = [name for name in arguments if name not in by_name]
    if unknown:
        print(f"no suite is called {', '.join(unknown)}; there are: {', '.join(by_name)}", file=sys.stderr)
        return 2
    # A shell that started this in the background has interrupts ignored, and so would every program that a test interrupts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    wanted = [suite for suite in suites if not arguments or suite.name in arguments]
    results = run_all(wanted)
    report(results)
    return 0 if all(result.totals.failed == 0 for result in results) else 1


def run_all(suites: Sequence[Suite]) -> list[Result]:
    """Prepares each need once, just before the first suite that has it, and lets no suite run without its own."""
    ready: dict[str, bool] = {}
    results = []
    for number, suite in enumerate(suites, 1):
        say(f"[{number}/{len(suites)}] {suite.name}")
        for need in suite.needs:
            if need not in ready:
                ready[need] = prepare(need)
        lacking = [need for need in suite.needs if not ready[need]]
        if lacking:
            results.append(Result(suite.name, Totals(0, 1), 0.0, f"did not run: make {' '.join(lacking)} failed"))
        else:
            results.append(run(suite))
        say(line_of(results[-1]))
    return results


def prepare(need: str) -> bool:
    make = Suite(f"make {need}", ("make", "-s", need), None, limit=1800.0)
    return run(make).totals.failed == 0


def run(suite: Suite) -> Result:
    begin = time.monotonic()
    try:
        status, output, ended = stream(suite)
    except OSError as error:
        return Result(suite.name, Totals(0, 1), time.monotonic() - begin, f"did not run: {error}")
    seconds = time.monotonic() - begin
    if ended:
        counted = (suite.read(output) if suite.read else None) or Totals(0, 0)
        return Result(suite.name, counted + Totals(0, 1), seconds, f"was ended after {suite.limit:.0f} s")
    if suite.read is None:
        remark = f"exit status {status}" if status else ""
        return Result(suite.name, Totals(int(status == 0), int(status != 0)), seconds, remark)
    counted, remark = judge(suite.read(output), status)
    return Result(suite.name, counted, seconds, remark)


def stream(suite: Suite) -> tuple[int, str, bool]:
    """Runs a suite's command; its exit status, all it printed, and whether it had to be ended."""
    process = subprocess.Popen(
        suite.arguments(),
        cwd=ROOT / suite.folder,
        env=environment(suite),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        # A group of its own, so that what the command has started can be ended with it.
        start_new_session=True,
    )
    ended = threading.Event()

    def end() -> None:
        ended.set()
        kill_group(process)

    limit = threading.Timer(suite.limit, end)
    limit.start()
    try:
        # Should a child outlive the command, it would hold this pipe open: the group ends with the command.
        reaper = threading.Thread(target=lambda: (process.wait(), kill_group(process)), daemon=True)
        reaper.start()
        lines = []
        for line in process.stdout:
            lines.append(line)
            sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()
        reaper.join()
    finally:
        limit.cancel()
        kill_group(process)
    return process.returncode, b"".join(lines).decode(errors="replace"), ended.is_set()


def kill_group(process: subprocess.Popen) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


def report(results: Sequence[Result]) -> None:
    total = sum((result.totals for result in results), Totals(0, 0))
    say("results")
    for result in results:
        print(line_of(result))
    print()
    print(f"{total.passed} passed, {total.failed} failed", flush=True)


def line_of(result: Result) -> str:
    passed, failed = result.totals.passed, result.totals.failed
    remark = f"  {result.remark}" if result.remark else ""
    return f"{result.name:<18} {passed:>6} passed {failed:>4} failed {result.seconds:>7.1f} s{remark}"


def say(text: str) -> None:
    print(f"\n== {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
