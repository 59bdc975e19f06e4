"""The totals of each runner are read as it prints them, and nothing that was not seen to pass is counted as passed."""

import pytest

from totals import Totals, judge, of_cargo, of_checks, of_node, of_phpunit, of_pytest

CARGO = """
running 3 tests
test machine::tests::a_plain_id_is_a_machine ... ok
test result: {word}. {passed} passed; {failed} failed; {ignored} ignored; 0 measured; {filtered} filtered out; finished in 0.01s

   Doc-tests consolepass
test result: ok. 4 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.20s
"""

NODE = """{mark} tests {tests}
{mark} suites 0
{mark} pass {passed}
{mark} fail {failed}
{mark} cancelled {cancelled}
{mark} skipped {skipped}
{mark} todo {todo}
{mark} duration_ms 931.96
"""


def cargo(word="ok", passed=3, failed=0, ignored=0, filtered=0):
    return CARGO.format(word=word, passed=passed, failed=failed, ignored=ignored, filtered=filtered)


def node(mark="ℹ", tests=5, passed=5, failed=0, cancelled=0, skipped=0, todo=0):
    return NODE.format(
        mark=mark, tests=tests, passed=passed, failed=failed, cancelled=cancelled, skipped=skipped, todo=todo
    )


def test_every_test_program_of_cargo_is_summed():
    assert of_cargo(cargo()) == Totals(7, 0)


def test_a_failed_test_program_of_cargo_is_counted():
    assert of_cargo(cargo(word="FAILED", passed=1, failed=2)) == Totals(5, 2)


@pytest.mark.parametrize("field", ["ignored", "filtered"])
def test_a_test_that_cargo_left_out_counts_as_failed(field):
    assert of_cargo(cargo(**{field: 1})) == Totals(7, 1)


def test_cargo_that_compiled_nothing_has_no_totals():
    assert of_cargo("error[E0425]: cannot find value `x` in this scope\n") is None


@pytest.mark.parametrize("mark", ["ℹ", "#"])
def test_both_reports_of_node_are_read(mark):
    assert of_node(node(mark=mark)) == Totals(5, 0)


@pytest.mark.parametrize("field", ["failed", "cancelled", "skipped", "todo"])
def test_a_test_that_node_did_not_pass_counts_as_failed(field):
    assert of_node(node(passed=4, **{field: 1})) == Totals(4, 1)


def test_a_report_of_node_that_breaks_off_has_no_totals():
    assert of_node(node().split("ℹ fail")[0]) is None


@pytest.mark.parametrize(
    ("line", "totals"),
    [
        ("============================== 8 passed in 2.42s ===============================", Totals(8, 0)),
        ("8 passed in 2.42s", Totals(8, 0)),
        ("==== 1 failed, 7 passed, 2 warnings in 62.14s (0:01:02) ====", Totals(7, 1)),
        ("=== 1 failed, 2 passed, 3 skipped, 1 xfailed, 1 xpassed, 2 errors in 1.00s ===", Totals(2, 8)),
        ("3 passed, 1 deselected in 0.10s", Totals(3, 1)),
        ("1 error in 0.10s", Totals(0, 1)),
    ],
)
def test_the_last_line_of_pytest_is_read(line, totals):
    assert of_pytest(f"collected some\n\n{line}\n") == totals


def test_pytest_that_ran_nothing_has_no_totals():
    assert of_pytest("==== no tests ran in 0.01s ====\n") is None
    assert of_pytest("INTERNALERROR> ValueError\n") is None


@pytest.mark.parametrize(
    ("line", "totals"),
    [
        ("OK (414 tests, 12305 assertions)", Totals(414, 0)),
        ("OK (1 test, 1 assertion)", Totals(1, 0)),
        ("FAILURES!\nTests: 27, Assertions: 97, Failures: 3.", Totals(24, 3)),
        ("ERRORS!\nTests: 9, Assertions: 128, Errors: 1, Failures: 1, Warnings: 1.", Totals(6, 3)),
        ("OK, but incomplete, skipped, or risky tests!\nTests: 9, Assertions: 8, Skipped: 1, Risky: 2.", Totals(6, 3)),
        ("ERRORS!\nTests: 1, Assertions: 0, Errors: 2.", Totals(0, 2)),
    ],
)
def test_the_last_line_of_phpunit_is_read(line, totals):
    assert of_phpunit(f"PHPUnit 9.6.7\n\n....  4 / 414\n\nTime: 00:01.000, Memory: 8.00 MB\n\n{line}\n") == totals


def test_phpunit_that_ran_nothing_has_no_totals():
    assert of_phpunit("No tests executed!\n") is None
    assert of_phpunit("PHP Fatal error:  Uncaught Error\n") is None


def test_each_thing_that_a_program_of_ours_checked_is_counted():
    assert of_checks("starting\nok the picture arrived\nok      the word\nFAILED  no secret\n") == Totals(2, 1)
    assert of_checks("okay then\n1 passed, 0 failed\n") is None


def test_colours_are_not_part_of_a_line():
    assert of_pytest("\x1b[32m\x1b[1m8 passed\x1b[0m\x1b[32m in 2.42s\x1b[0m\n") == Totals(8, 0)


@pytest.mark.parametrize("totals", [None, Totals(0, 0)])
@pytest.mark.parametrize("status", [0, 1])
def test_a_suite_without_totals_failed_whatever_its_exit_status(totals, status):
    judged, remark = judge(totals, status)

    assert judged == Totals(0, 1)
    assert "no totals" in remark


def test_an_exit_status_that_no_failed_test_explains_is_a_failure():
    judged, remark = judge(Totals(9, 0), 101)

    assert judged == Totals(9, 1)
    assert "exit status 101" in remark


def test_failed_tests_are_not_counted_a_second_time_for_the_exit_status():
    assert judge(Totals(9, 2), 1) == (Totals(9, 2), "")


def test_failed_tests_count_even_when_the_exit_status_is_0():
    assert judge(Totals(9, 2), 0) == (Totals(9, 2), "")
