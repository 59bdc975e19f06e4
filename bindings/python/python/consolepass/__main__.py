"""The `consolepass` command: `python -m consolepass`."""

import sys

from ._native import run


def main() -> None:
    sys.exit(run(["consolepass", *sys.argv[1:]]))


if __name__ == "__main__":
    main()
