"""Taking an account over from proxmoxer, in every version since 2.0."""

import importlib
import os
import sys
import time
from pathlib import Path

import pytest

import consolepass
import consolepass.aio
from pve import PASSWORD, TOKEN_ID, TOKEN_SECRET, USER

# One folder a version, filled by make.
VERSIONS = Path(os.environ.get("CONSOLEPASS_PROXMOXER", Path(__file__).resolve().parents[3] / "target/proxmoxer"))
WANTED = ("2.0.1", "2.1.0", "2.2.0", "2.3.0")


@pytest.fixture(params=WANTED)
def proxmoxer(request, monkeypatch):
    folder = VERSIONS / request.param
    assert (folder / "proxmoxer").is_dir(), f"make proxmoxer: {folder} is missing"
    for name in [name for name in sys.modules if name.split(".")[0] == "proxmoxer"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(str(folder))
    module = importlib.import_module("proxmoxer")
    assert Path(module.__file__).is_relative_to(folder)
    yield module
    for name in [name for name in sys.modules if name.split(".")[0] == "proxmoxer"]:
        del sys.modules[name]


@pytest.fixture
def by_token(proxmoxer, pve):
    user, name = TOKEN_ID.split("!")
    return proxmoxer.ProxmoxAPI(pve.address, user=user, token_name=name, token_value=TOKEN_SECRET, verify_ssl=pve.ca_file)


@pytest.fixture
def by_password(proxmoxer, pve):
    return proxmoxer.ProxmoxAPI(pve.address, user=USER, password=PASSWORD, verify_ssl=pve.ca_file)


def test_a_token_is_taken_over(by_token, pve):
    console = consolepass.Proxmox.from_proxmoxer(by_token).open("qemu/101")

    assert console.headers == {"authorization": f"PVEAPIToken={TOKEN_ID}={TOKEN_SECRET}"}
    assert console.address == pve.address


def test_a_login_is_taken_over(by_password):
    console = consolepass.Proxmox.from_proxmoxer(by_password).open("qemu/101")

    ticket, _ = by_password.get_tokens()
    assert set(console.headers) == {"cookie"}
    assert ticket.split(":")[1] == USER


def test_a_login_without_its_other_half_is_renewed_by_us_at_once(by_password):
    by_password._backend.auth.csrf_prevention_token = ""

    # To ask for a console takes both halves.
    console = consolepass.Proxmox.from_proxmoxer(by_password).open("qemu/101")

    assert console.kind == "vnc"
    # proxmoxer's own login goes on beside ours.
    assert by_password.version.get()


def test_a_login_that_is_lost_says_that_a_token_would_not_be(by_password):
    by_password._backend.auth.pve_auth_ticket = f"PVE:{USER}:00000000::bm90aGluZw=="

    with pytest.raises(consolepass.AuthFailed) as refused:
        consolepass.Proxmox.from_proxmoxer(by_password).open("qemu/101")

    assert "token" in refused.value.hint


@pytest.mark.parametrize(
    ("resource", "machine"),
    [
        (lambda api: api.nodes("pve1").qemu(101), "pve1/qemu/101"),
        (lambda api: api.nodes("pve1").lxc("200"), "pve1/lxc/200"),
        (lambda api: api.nodes.pve1.qemu("101").status.current, "pve1/qemu/101"),
    ],
)
def test_a_resource_names_its_machine(by_token, resource, machine):
    proxmox = consolepass.Proxmox.from_proxmoxer(resource(by_token))

    assert proxmox.open().machine == machine
    # Another one can be named all the same.
    assert proxmox.open("lxc/200").machine == "pve1/lxc/200"


def test_a_resource_of_a_node_names_the_node(by_token):
    proxmox = consolepass.Proxmox.from_proxmoxer(by_token.nodes("pve1"))

    with pytest.raises(consolepass.Error, match="pve1"):
        proxmox.open()


def test_it_is_the_same_with_asyncio(by_token):
    import asyncio

    proxmox = consolepass.aio.Proxmox.from_proxmoxer(by_token.nodes("pve1").qemu(101))

    assert isinstance(proxmox, consolepass.aio.Proxmox)
    assert asyncio.run(proxmox.open()).machine == "pve1/qemu/101"


def test_verify_ssl_means_what_it_meant(proxmoxer, pve, caplog):
    user, name = TOKEN_ID.split("!")
    account = {"user": user, "token_name": name, "token_value": TOKEN_SECRET}

    unverified = consolepass.Proxmox.from_proxmoxer(proxmoxer.ProxmoxAPI(pve.address, verify_ssl=False, **account))
    assert "insecure is set" in caplog.text
    assert unverified.open("qemu/101").kind == "vnc"

    verified = consolepass.Proxmox.from_proxmoxer(proxmoxer.ProxmoxAPI(pve.address, verify_ssl=True, **account))
    with pytest.raises(consolepass.TlsUntrusted):
        verified.open("qemu/101")


def test_options_replace_what_was_found(by_token, pve):
    with pytest.raises(consolepass.InvalidArgument, match="ca_file"):
        consolepass.Proxmox.from_proxmoxer(by_token, fingerprint=pve.ready["fingerprint"])

    pinned = consolepass.Proxmox.from_proxmoxer(by_token, ca_file=None, fingerprint=pve.ready["fingerprint"])
    assert pinned.open("qemu/101").kind == "vnc"


def test_a_path_prefix_stays_before_every_path(proxmoxer, pve):
    user, name = TOKEN_ID.split("!")
    api = proxmoxer.ProxmoxAPI(
        pve.address, user=user, token_name=name, token_value=TOKEN_SECRET, verify_ssl=pve.ca_file, path_prefix="some/prefix"
    )

    proxmox = consolepass.Proxmox.from_proxmoxer(api.nodes("pve1").qemu(101))

    assert f"https://{pve.address}/some/prefix" in repr(proxmox)
    with pytest.raises(consolepass.Error) as refused:
        proxmox.open()
    # The emulator has nothing there, which says that it was asked there.
    assert refused.value.http_status in (400, 401, 403, 404, 500, 501), refused.value


def test_a_proxy_is_gone_through(proxmoxer, pve, tunnel):
    user, name = TOKEN_ID.split("!")
    account = {"user": user, "token_name": name, "token_value": TOKEN_SECRET, "verify_ssl": pve.ca_file}
    if proxmoxer.__version__ >= "2.3":
        api = proxmoxer.ProxmoxAPI(pve.address, proxies={"https": f"http://{tunnel.address}"}, **account)
    else:
        # The way of its users before it had an argument for that.
        api = proxmoxer.ProxmoxAPI(pve.address, **account)
        api._store["session"].proxies["https"] = f"http://{tunnel.address}"

    console = consolepass.Proxmox.from_proxmoxer(api).open("qemu/101")

    assert console.kind == "vnc"
    assert tunnel.targets and set(tunnel.targets) == {pve.address}


def test_a_proxy_of_the_environment_is_gone_through(by_token, pve, tunnel, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", f"http://{tunnel.address}")
    monkeypatch.setenv("NO_PROXY", "")
    consolepass.Proxmox.from_proxmoxer(by_token).open("qemu/101")
    assert tunnel.targets

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    tunnel.targets.clear()
    consolepass.Proxmox.from_proxmoxer(by_token).open("qemu/101")
    assert not tunnel.targets


def test_a_timeout_that_was_chosen_is_kept(proxmoxer, silent):
    user, name = TOKEN_ID.split("!")
    api = proxmoxer.ProxmoxAPI(
        silent.address, user=user, token_name=name, token_value=TOKEN_SECRET, verify_ssl=False, timeout=0.7
    )

    begin = time.monotonic()
    with pytest.raises(TimeoutError):
        consolepass.Proxmox.from_proxmoxer(api).open("qemu/101")

    assert time.monotonic() - begin < 3


def test_other_back_ends_say_which_one_to_use(proxmoxer):
    api = proxmoxer.ProxmoxAPI(backend="local")

    for one in (api, api.nodes("pve1").qemu(101)):
        with pytest.raises(consolepass.Unsupported, match="pvesh") as refused:
            consolepass.Proxmox.from_proxmoxer(one)
        assert "https" in refused.value.hint and "token" in refused.value.hint


def test_other_services_say_so(proxmoxer):
    api = proxmoxer.ProxmoxAPI("127.0.0.1:1", service="PBS", user="a@pbs", token_name="b", token_value="c")

    with pytest.raises(consolepass.Unsupported, match="PBS"):
        consolepass.Proxmox.from_proxmoxer(api)


def test_no_secret_is_shown(by_token, by_password):
    for api in (by_token, by_password):
        shown = repr(consolepass.Proxmox.from_proxmoxer(api))
        assert TOKEN_SECRET not in shown and PASSWORD not in shown and "PVE:" not in shown


@pytest.mark.parametrize("other", [None, 5, "pve", object(), {"base_url": 1}])
def test_what_is_not_proxmoxers_is_refused(other):
    with pytest.raises(consolepass.InvalidArgument, match="proxmoxer"):
        consolepass.Proxmox.from_proxmoxer(other)


