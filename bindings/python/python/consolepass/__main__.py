"""The `consolepass` command: `python -m consolepass`."""

import signal
import sys

from ._native import run


def main() -> None:
    # Python's own handler would only take note, and raise when the command has long ended in its way.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(run(["consolepass", *sys.argv[1:]]))


if __name__ == "__main__":
    main()
