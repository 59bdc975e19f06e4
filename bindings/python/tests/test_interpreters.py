"""More than one interpreter in a process, as mod_wsgi and uWSGI have them: only the main one can have the package."""

import pytest

from program import run

START = """
    import os, sys
    try:
        import _xxsubinterpreters as interpreters
    except ImportError:
        import _interpreters as interpreters
    def in_another(source):
        # One of the kind that mod_wsgi has: it shares everything that an extension module has.
        try:
            other = interpreters.create("legacy")
        except TypeError:
            other = interpreters.create(isolated=False)
        try:
            failed = interpreters.run_string(other, source)
            if failed is not None:
                print(failed.formatted)
        except interpreters.RunFailedError as error:
            print(error)
        interpreters.destroy(other)
"""
IN_MAIN = """
    import consolepass
    try:
        consolepass.Proxmox("")
    except consolepass.Error as error:
        print(error.code)
"""
IN_ANOTHER = """
    in_another("import consolepass")
"""


ORDERS = [(IN_MAIN, IN_ANOTHER), (IN_ANOTHER, IN_MAIN), (IN_ANOTHER, IN_ANOTHER, IN_MAIN, IN_ANOTHER, IN_MAIN)]


@pytest.mark.parametrize("order", ORDERS)
def test_another_interpreter_is_told_the_cure_and_the_main_one_works_on(order):
    status, output, errors = run(START + "".join(order))

    assert (status, errors) == (0, ""), errors
    said = output.strip().split("\n")
    assert len(said) == len(order)
    for part, line in zip(order, said):
        if part is IN_MAIN:
            assert line == "invalid_argument"
        else:
            assert "ImportError" in line and "WSGIApplicationGroup %{GLOBAL}" in line and "single-interpreter" in line
