"""Opening a console, against the emulator."""

import datetime

import pytest
from websockets.sync.client import connect

import consolepass
import rfb
from pve import PASSWORD, TOKEN_SECRET, USER


@pytest.mark.parametrize("machine", ["qemu/101", "pve1/qemu/101", "101", "lxc/200"])
def test_a_console_holds_everything_that_a_client_needs(pve, proxmox, machine):
    console = proxmox.open(machine)

    assert console.kind == "vnc"
    assert console.machine in ("pve1/qemu/101", "pve1/lxc/200")
    assert console.address == pve.address
    assert datetime.timedelta(0) < console.expires_at - datetime.datetime.now(datetime.timezone.utc)
    with connect(
        console.websocket_url,
        additional_headers=console.headers,
        subprotocols=["binary"],
        compression=None,
        ssl=pve.tls_in_two_threads,
    ) as socket:
        stream = rfb.Stream(socket)
        assert rfb.security_types(stream) == [rfb.VNC_AUTHENTICATION]
        assert rfb.log_in(stream, console.password) == rfb.OK


def test_a_user_with_a_password_opens_a_console(pve):
    proxmox = consolepass.Proxmox(pve.address, username=USER, password=PASSWORD, ca_file=pve.ca_file)

    console = proxmox.open("qemu/101")

    assert "PVEAuthCookie=" in console.headers["cookie"]


def test_a_page_link_and_the_bare_parameters_carry_the_console(proxmox):
    console = proxmox.open("qemu/101")

    link = console.novnc_url("https://portal.example.com/novnc/vnc.html", version="1.5", foreign_origin=True)
    parameters = console.rfb_parameters()

    assert link.startswith("https://portal.example.com/novnc/vnc.html#")
    assert (parameters.url, parameters.password) == (console.websocket_url, console.password)


def test_a_refusal_has_its_code_and_what_to_do(account):
    account["token_secret"] = "00000000-0000-0000-0000-000000000000"

    with pytest.raises(consolepass.AuthFailed) as raised:
        consolepass.Proxmox(**account).open("qemu/101")

    error = raised.value
    assert isinstance(error, consolepass.Error)
    assert (error.code, error.http_status, error.retryable) == ("auth_failed", 401, False)
    assert error.hint and error.sentence == "the portal could not log in to the hypervisor"
    assert TOKEN_SECRET not in str(error)


def test_an_untrusted_certificate_is_named_by_its_fingerprint(pve, account):
    account["fingerprint"] = ":".join(["00"] * 32)

    with pytest.raises(consolepass.TlsUntrusted) as raised:
        consolepass.Proxmox(**account).open("qemu/101")

    assert raised.value.fingerprint == pve.ready["fingerprint"]


def test_nobody_there_is_a_connection_error_with_its_cause(account):
    account["host"] = "127.0.0.1:1"

    with pytest.raises(ConnectionError) as raised:
        consolepass.Proxmox(**account).open("qemu/101")

    assert isinstance(raised.value, consolepass.Unreachable)
    assert raised.value.retryable
    causes = []
    cause = raised.value.__cause__
    while cause is not None:
        causes.append(str(cause))
        cause = cause.__cause__
    assert any("refused" in words for words in causes), causes


def test_a_machine_that_is_not_there_or_has_no_name(proxmox):
    with pytest.raises(consolepass.MachineNotFound):
        proxmox.open("qemu/999")
    with pytest.raises(consolepass.InvalidArgument, match="qemu/101"):
        proxmox.open()


def test_an_unknown_option_is_named_beside_the_known_ones(pve):
    with pytest.raises(ValueError, match="hosts.*host, token_id"):
        consolepass.Proxmox(pve.address, hosts="x")


def test_none_stands_for_an_option_that_is_not_given(account):
    consolepass.Proxmox(**account, ca_file=None, timeout=None).open("qemu/101")
