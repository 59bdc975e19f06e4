"""The emulator, started as a user of it would: one for all tests of a file."""

import pytest

from pve import Emulated


@pytest.fixture(scope="module")
def pve():
    """Proxmox VE since April 2026."""
    with Emulated() as emulated:
        yield emulated


@pytest.fixture(scope="module")
def classic():
    """Proxmox VE before April 2026."""
    with Emulated("--generation", "classic") as emulated:
        yield emulated
