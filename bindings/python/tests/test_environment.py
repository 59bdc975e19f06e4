"""Options from the environment, by the names that users have already."""

import pytest

import consolepass
import consolepass.aio
from consolepass import _environment
from pve import PASSWORD, TOKEN_ID, TOKEN_SECRET, USER

TOKEN = {"token_id": "portal@pve!console", "token_secret": "s"}


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch):
    import os

    for name in os.environ:
        if name.startswith(("PROXMOX_", "PVE_")):
            monkeypatch.delenv(name)


@pytest.mark.parametrize(
    ("variables", "options"),
    [
        ({"PROXMOX_HOST": "pve", "PROXMOX_TOKEN_ID": TOKEN["token_id"], "PROXMOX_TOKEN_SECRET": "s"}, {"host": "pve", **TOKEN}),
        ({"PVE_HOST": "pve", "PVE_TOKENID": TOKEN["token_id"], "PVE_TOKEN_SECRET": "s"}, {"host": "pve", **TOKEN}),
        ({"PROXMOX_URL": "https://pve:8006/", "PROXMOX_API_TOKEN": "portal@pve!console=s"}, {"host": "https://pve:8006/", **TOKEN}),
        (
            {"PROXMOX_VE_ENDPOINT": "https://pve/", "PROXMOX_VE_API_TOKEN": "PVEAPIToken=portal@pve!console=s", "PROXMOX_VE_INSECURE": "true"},
            {"host": "https://pve/", "insecure": True, **TOKEN},
        ),
        (
            {"PROXMOX_HOST": "pve", "PROXMOX_USER": "portal@pve", "PROXMOX_TOKEN_ID": "console", "PROXMOX_TOKEN_SECRET": "s"},
            {"host": "pve", **TOKEN},
        ),
        ({"PVE_HOST": "pve", "PVE_USER": "root@pam", "PVE_PASSWORD": "p"}, {"host": "pve", "username": "root@pam", "password": "p"}),
        ({"PROXMOX_HOST": "pve", "PVE_HOST": "other", "PROXMOX_USERNAME": "root@pam"}, {"host": "pve", "username": "root@pam"}),
        ({"PROXMOX_HOST": "", "PVE_HOST": "pve"}, {"host": "pve"}),
        ({"PROXMOX_HOST": "pve", "PROXMOX_PORT": "443"}, {"host": "pve:443"}),
        ({"PROXMOX_HOST": "pve:8006", "PROXMOX_PORT": "443"}, {"host": "pve:8006"}),
        ({"PROXMOX_HOST": "fd00::1", "PROXMOX_PORT": "443"}, {"host": "[fd00::1]:443"}),
        ({"PROXMOX_HOST": "[fd00::1]", "PROXMOX_PORT": "443"}, {"host": "[fd00::1]:443"}),
        ({"PROXMOX_HOST": "https://pve/prefix", "PROXMOX_PORT": "443"}, {"host": "https://pve:443/prefix"}),
        ({"PROXMOX_HOST": "pve", "PROXMOX_VERIFY_SSL": "0"}, {"host": "pve", "insecure": True}),
        ({"PROXMOX_HOST": "pve", "PROXMOX_VERIFY_SSL": "true"}, {"host": "pve"}),
        ({"PROXMOX_HOST": "pve", "PROXMOX_VERIFY_SSL": "/etc/ca.pem"}, {"host": "pve", "ca_file": "/etc/ca.pem"}),
        ({"PROXMOX_HOST": "pve", "PROXMOX_FINGERPRINT": "AB:CD", "PROXMOX_CA_FILE": "/ca"}, {"host": "pve", "fingerprint": "AB:CD", "ca_file": "/ca"}),
    ],
)
def test_names_mean(variables, options):
    assert _environment.options(variables) == options


def test_a_console_is_opened_with_what_is_in_the_environment(monkeypatch, pve):
    monkeypatch.setenv("PROXMOX_HOST", pve.host)
    monkeypatch.setenv("PROXMOX_PORT", str(pve.port))
    monkeypatch.setenv("PROXMOX_API_TOKEN", f"{TOKEN_ID}={TOKEN_SECRET}")
    monkeypatch.setenv("PROXMOX_CA_FILE", pve.ca_file)

    assert consolepass.Proxmox.from_env().open("qemu/101").address == pve.address
    # An option replaces what was found.
    with pytest.raises(consolepass.InvalidArgument, match="nowhere.pem"):
        consolepass.Proxmox.from_env(ca_file="/nowhere.pem")


def test_two_accounts_are_one_too_many(monkeypatch):
    for name, value in {"HOST": "pve", "USER": USER, "PASSWORD": PASSWORD, "API_TOKEN": f"{TOKEN_ID}={TOKEN_SECRET}"}.items():
        monkeypatch.setenv(f"PROXMOX_{name}", value)

    with pytest.raises(consolepass.InvalidArgument, match="token_id is given as well") as refused:
        consolepass.Proxmox.from_env()
    assert PASSWORD not in str(refused.value) and TOKEN_SECRET not in str(refused.value)


def test_what_is_missing_or_wrong_is_named(monkeypatch):
    with pytest.raises(consolepass.InvalidArgument, match="PROXMOX_HOST"):
        consolepass.aio.Proxmox.from_env()

    monkeypatch.setenv("PVE_HOST", "pve")
    monkeypatch.setenv("PVE_VERIFY_SSL", "perhaps")
    with pytest.raises(consolepass.InvalidArgument, match="PVE_VERIFY_SSL.*perhaps"):
        consolepass.Proxmox.from_env()
