"""Reads how many tests passed and failed out of what a test runner printed.

A skipped, ignored or cancelled test counts as failed: what was not seen to work is not said to work.
"""

import re
from dataclasses import dataclass

COLOURS = re.compile(r"\x1b\[[0-9;]*m")

CARGO_LINE = re.compile(
    r"^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored; (\d+) measured; (\d+) filtered out;"
)
NODE_LINE = re.compile(r"^(?:#|ℹ) (tests|pass|fail|cancelled|skipped|todo) (\d+)$")
PYTEST_LINE = re.compile(r"^(?:=+ )?((?:\d+ [a-z]+(?:, )?)+) in [\d.]+s(?: \([\d:]+\))?(?: =+)?$")
PHPUNIT_GOOD_LINE = re.compile(r"^OK \((\d+) tests?, \d+ assertions?\)$")
PHPUNIT_LINE = re.compile(r"^Tests: (\d+), Assertions: \d+((?:, [A-Za-z ]+: \d+)*)\.$")
CHECKED_LINE = re.compile(r"^(ok|FAILED)\s+\S")


@dataclass(frozen=True)
class Totals:
    passed: int
    failed: int

    def __add__(self, other: "Totals") -> "Totals":
        return Totals(self.passed + other.passed, self.failed + other.failed)


def of_cargo(output: str) -> Totals | None:
    """One line for each test program and each crate's documentation; they are summed."""
    found = [tuple(map(int, match.groups())) for line in _lines(output) if (match := CARGO_LINE.match(line))]
    if not found:
        return None
    return Totals(
        passed=sum(passed for passed, *_ in found),
        failed=sum(failed + ignored + filtered for _, failed, ignored, _, filtered in found),
    )


def of_node(output: str) -> Totals | None:
    """The closing block of Node's runner, with `#` in TAP and `ℹ` for people. The last block is the runner's own."""
    found = {match[1]: int(match[2]) for line in _lines(output) if (match := NODE_LINE.match(line))}
    if not {"tests", "pass", "fail", "cancelled", "skipped", "todo"} <= found.keys():
        return None
    return Totals(found["pass"], found["fail"] + found["cancelled"] + found["skipped"] + found["todo"])


def of_pytest(output: str) -> Totals | None:
    """The last line. Whatever is not `passed` is a failure, warnings aside: an unforeseen word too."""
    found = [match[1] for line in _lines(output) if (match := PYTEST_LINE.match(line))]
    if not found:
        return None
    numbers = {word: int(number) for number, word in (part.split() for part in found[-1].split(", "))}
    for word in ("warning", "warnings"):
        numbers.pop(word, None)
    passed = numbers.pop("passed", 0)
    return Totals(passed, sum(numbers.values()))


def of_phpunit(output: str) -> Totals | None:
    """The last line. With it every test was good, or whatever is counted beside them is a failure: a skipped or risky one too."""
    for line in reversed(_lines(output)):
        if match := PHPUNIT_GOOD_LINE.match(line):
            return Totals(int(match[1]), 0)
        if match := PHPUNIT_LINE.match(line):
            failed = sum(int(part.rpartition(" ")[2]) for part in match[2].split(",") if part)
            # What is said of others than the tests, such as of their preparation, is a failure beside them.
            return Totals(max(int(match[1]) - failed, 0), failed)
    return None


def of_checks(output: str) -> Totals | None:
    """Programs of our own print `ok …` or `FAILED …` for each thing they checked."""
    found = [match[1] for line in _lines(output) if (match := CHECKED_LINE.match(line))]
    if not found:
        return None
    return Totals(found.count("ok"), found.count("FAILED"))


def judge(totals: Totals | None, status: int) -> tuple[Totals, str]:
    """What a finished suite counts for, and a remark where that is more than its own totals say."""
    if totals is None or totals == Totals(0, 0):
        return Totals(0, 1), f"no totals were printed (exit status {status})"
    if status != 0 and totals.failed == 0:
        return Totals(totals.passed, 1), f"exit status {status}, though no test failed"
    return totals, ""


def _lines(output: str) -> list[str]:
    return [COLOURS.sub("", line).rstrip() for line in output.splitlines()]
