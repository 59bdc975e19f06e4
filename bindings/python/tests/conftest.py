"""The emulator, started as a user of it would."""

import pytest

import consolepass
from pve import TOKEN_ID, TOKEN_SECRET, Emulated


@pytest.fixture(scope="session")
def pve():
    """Proxmox VE since April 2026."""
    with Emulated() as emulated:
        yield emulated


@pytest.fixture
def account(pve):
    """The options of a token's account on the emulated hypervisor."""
    return {
        "host": pve.address,
        "token_id": TOKEN_ID,
        "token_secret": TOKEN_SECRET,
        "fingerprint": pve.ready["fingerprint"],
    }


@pytest.fixture
def proxmox(account):
    return consolepass.Proxmox(**account)
