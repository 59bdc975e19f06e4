"""Bad input: an error of ours with our code, and never a crash, a hang, or silence."""

import gc
import threading

import pytest

import consolepass
from browser import PUBLIC_URL
from consolepass import aio

WRONG_TEXTS = {
    "a number": 5,
    "bytes": b"qemu/101",
    "None": None,
    "a list": ["qemu/101"],
    "an object": object(),
    "a NUL": "qemu/101\0",
    "a lone surrogate": "qemu/\ud800",
    "nothing": "",
    "very much": "x" * 1_000_000,
    "line breaks": "qemu/101\r\nX: y",
    "a path": "../../qemu/101",
}
WRONG_NUMBERS = [-1, 0, 301, 10**30, -(10**30), 2.5, float("nan"), float("inf"), "", "ten", b"5", [5], {}, object(), True]
SECRET = "hunter2-hunter2"


@pytest.fixture
def relay(proxmox):
    return consolepass.Relay({"dc1": proxmox}, listen="127.0.0.1:0", public_url=PUBLIC_URL)


@pytest.mark.parametrize("what", WRONG_TEXTS)
def test_text_that_is_none_is_refused_wherever_it_comes(account, proxmox, relay, key_file, what):
    wrong = WRONG_TEXTS[what]
    issuer = consolepass.Issuer(public_url=PUBLIC_URL, pass_key_file=key_file)
    console = proxmox.open("qemu/101")
    issued = relay.issue("dc1", "qemu/101")
    calls = {
        "open": lambda: proxmox.open(wrong),
        "kind": lambda: proxmox.open("qemu/101", wrong),
        "issue's machine": lambda: relay.issue("dc1", wrong),
        "issue's backend": lambda: relay.issue(wrong, "qemu/101"),
        "issuer's backend": lambda: issuer.issue(wrong, "qemu/101"),
        "revoke": lambda: relay.revoke(wrong),
        "console's page": lambda: console.novnc_url(wrong),
        "pass's page": lambda: issued.novnc_url(wrong),
        "a page's version": lambda: issued.novnc_url("https://p/vnc.html", version=wrong if wrong is not None else 5),
        "public_url": lambda: consolepass.Relay({"dc1": proxmox}, public_url=wrong),
        "listen": lambda: consolepass.Relay({"dc1": proxmox}, public_url=PUBLIC_URL, listen=wrong if wrong is not None else 5),
        "key file": lambda: consolepass.Issuer(public_url=PUBLIC_URL, pass_key_file=wrong),
        "a backend's name": lambda: consolepass.Relay({wrong if isinstance(wrong, (str, bytes, int)) else 5: proxmox}, public_url=PUBLIC_URL),
        "backends": lambda: consolepass.Relay(wrong, public_url=PUBLIC_URL),
        "a backend": lambda: consolepass.Relay({"dc1": wrong}, public_url=PUBLIC_URL),
        "cluster_ip": lambda: consolepass.cloudtower_direct(wrong, vm_uuid="u", host_ip="h", raw_token="t"),
        "a name": lambda: consolepass.Proxmox(**account, **{"na\0me": "x"}),
    }
    for call, run in calls.items():
        with pytest.raises(consolepass.Error) as refused:
            run()
        assert refused.value.code in ("invalid_argument", "unsupported", "machine_not_found"), (call, refused.value)
        assert refused.value.code == "invalid_argument" or isinstance(wrong, str), call
        assert len(str(refused.value)) < 3_000_000 and refused.value.hint


@pytest.mark.parametrize("wrong", WRONG_NUMBERS, ids=repr)
def test_a_number_that_is_none_or_out_of_range_is_refused(account, relay, proxmox, wrong):
    for name, call in {
        "ttl": lambda: relay.issue("dc1", "qemu/101", ttl=wrong),
        "timeout": lambda: consolepass.Proxmox(**account, timeout=wrong if wrong != 301 else 121),
        "max_sessions": lambda: consolepass.Relay({"a": proxmox}, public_url=PUBLIC_URL, max_sessions=wrong if wrong != 301 else 10**7),
    }.items():
        with pytest.raises(consolepass.InvalidArgument, match=name):
            call()


def test_a_value_of_a_type_that_is_none_hears_what_its_option_takes(account, proxmox, relay):
    said = {
        "pass: ttl: must be a whole number of seconds from 1 to 300, not float": lambda: relay.issue("dc1", "qemu/101", ttl=1.0),
        "proxmox: timeout: must be a whole number of seconds from 1 to 120, not float": lambda: consolepass.Proxmox(**account, timeout=1.5),
        "relay: max_sessions: must be a whole number from 1 to 1000000, not float": lambda: consolepass.Relay(
            {"dc1": proxmox}, public_url=PUBLIC_URL, max_sessions=1e3
        ),
        "proxmox: insecure: must be True or False, not float": lambda: consolepass.Proxmox(**account, insecure=1.0),
        "proxmox: host: must be str or a list of str, not float": lambda: consolepass.Proxmox(3.0),
        "proxmox: host: must be str, not float": lambda: consolepass.Proxmox([3.0]),
        "proxmox: token_secret: must be str, not float": lambda: consolepass.Proxmox("pve", token_secret=3.0),
        "proxmox: ca_file: must be str or a path, not float": lambda: consolepass.Proxmox("pve", ca_file=3.5),
        "relay: listen: must be str, not bytes": lambda: consolepass.Relay({"dc1": proxmox}, public_url=PUBLIC_URL, listen=b"x"),
    }
    for words, call in said.items():
        with pytest.raises(consolepass.InvalidArgument) as refused:
            call()
        assert str(refused.value) == words
    with pytest.raises(consolepass.InvalidArgument, match='unknown option "hots"; the options are host'):
        consolepass.Proxmox(hots=3.0)


def test_a_path_that_fails_says_so_itself(account):
    class Path:
        def __init__(self, path):
            self._path = path

        def __fspath__(self):
            return self._path() if callable(self._path) else self._path

    for path in ("/nowhere/ca.pem", b"/nowhere/ca.pem", 5):
        with pytest.raises(consolepass.InvalidArgument, match="ca_file"):
            consolepass.Proxmox(**{**account, "fingerprint": None}, ca_file=Path(path))
    with pytest.raises(ZeroDivisionError):
        consolepass.Proxmox(**account, ca_file=Path(lambda: 1 / 0))


@pytest.mark.parametrize("wrong", [-1, -2, -(2**31)])
def test_a_descriptor_that_is_none_is_refused(relay, wrong):
    with pytest.raises(consolepass.InvalidArgument, match=f"descriptor: {wrong}"):
        relay._native.serve(wrong, b"")


@pytest.mark.parametrize("wrong", ["yes", 1, 0, 2.5, [True], b"true", object()], ids=repr)
def test_what_is_no_truth_value_is_refused(account, relay, wrong):
    with pytest.raises(consolepass.InvalidArgument, match="allow_missing_origin"):
        consolepass.Relay({"a": consolepass.Proxmox(**account)}, public_url=PUBLIC_URL, allow_missing_origin=wrong)


@pytest.mark.parametrize("wrong", [5, True, b"x", [SECRET], {SECRET: SECRET}, SECRET.encode(), SECRET + "\0", SECRET + "\ud800"], ids=lambda value: type(value).__name__)
def test_a_wrong_secret_is_not_repeated_back(account, wrong):
    for name in ("token_secret", "password", "login_ticket"):
        with pytest.raises(consolepass.InvalidArgument) as refused:
            consolepass.Proxmox(**{**account, "token_secret": None, "token_id": None, "username": "a@pam", name: wrong})
        assert "hunter" not in str(refused.value) + repr(refused.value) + str(refused.value.__cause__)


@pytest.mark.parametrize("wrong", [-1, -0.1, float("nan"), float("inf"), "5", None.__class__, [], True], ids=repr)
def test_a_timeout_that_is_none_is_refused(relay, wrong):
    for call in (lambda: relay.events(timeout=wrong), lambda: relay.events().next(wrong)):
        with pytest.raises(consolepass.InvalidArgument, match="timeout"):
            call()


@pytest.mark.parametrize("path", ["/\ud800", "/\0", "", "x", "/" * 100_000, "/../../etc/passwd", "//ws", "/ws/../ws"])
def test_a_strange_path_is_not_found(relay, path):
    for method in ("GET", "\ud800", "", "a b"):
        assert relay._native.answer(method, path)[0] in (404, 308), path


def test_a_timeout_longer_than_all_time_is_one(relay):
    relay.events(timeout=1e300)
    events = relay.events()
    waiter = threading.Thread(target=lambda: pytest.raises(consolepass.Closed, events.next, 1e300))
    waiter.start()
    relay.start()
    relay.stop()
    waiter.join(30)
    assert not waiter.is_alive()


def test_a_wrong_number_of_arguments_is_pythons_own_error(relay, proxmox):
    for call in (lambda: relay.issue("dc1"), lambda: relay.revoke(), lambda: proxmox.open("a", "b", "c"), lambda: consolepass.cloudtower_via("x")):
        with pytest.raises(TypeError):
            call()


def test_nothing_can_be_set_or_made_that_is_not_made_here(proxmox, relay):
    console, issued = proxmox.open("qemu/101"), relay.issue("dc1", "qemu/101")
    for value in (console, issued, proxmox, relay, issued.rfb_parameters()):
        with pytest.raises(AttributeError):
            value.password = "x"
    for kind in (consolepass.Console, consolepass.Pass, consolepass.RfbParameters):
        with pytest.raises(TypeError):
            kind()
        with pytest.raises(TypeError):
            type("Sub", (kind,), {})


def test_calls_after_the_stop_say_so(relay):
    relay.start()
    events, application, wsgi = relay.events(), relay.asgi, relay.wsgi
    relay.stop()

    for call in (relay.start, lambda: relay.issue("dc1", "qemu/101"), events.next):
        with pytest.raises(consolepass.Closed) as refused:
            call()
        assert refused.value.hint
    assert list(events) == []
    assert relay.revoke("0000000000") is False
    relay.stop()
    assert application and wsgi


def test_one_relay_from_many_threads_while_it_stops(proxmox):
    for _ in range(5):
        relay = consolepass.Relay({"dc1": proxmox}, listen="127.0.0.1:0", public_url=PUBLIC_URL)
        relay.start()
        wrong = []

        def work(relay=relay, wrong=wrong):
            try:
                while True:
                    relay.issue("dc1", "qemu/101")
                    relay.session_count, relay.address, repr(relay)
            except consolepass.Closed:
                pass
            except BaseException as error:
                wrong.append(error)

        threads = [threading.Thread(target=work) for _ in range(6)]
        for thread in threads:
            thread.start()
        relay.stop()
        for thread in threads:
            thread.join(30)
            assert not thread.is_alive()
        assert not wrong


def test_an_operation_is_begun_once_and_asked_once(proxmox):
    """Nobody but the package calls these; a mistake of it must still be an error."""
    operation = proxmox._native.open("qemu/101", "vnc")
    with pytest.raises(consolepass.InternalError):
        operation.result()
    operation = proxmox._native.open("qemu/101", "vnc")
    operation.wait()
    for call in (operation.wait, operation.start, operation.result):
        with pytest.raises(consolepass.InternalError):
            call()
    operation.cancel()


def test_wrong_loops_and_forgotten_tasks(proxmox, account):
    import asyncio

    coroutine = aio.Proxmox(**account).open("qemu/101")
    with pytest.raises(RuntimeError):
        coroutine.send(None)
    del coroutine
    gc.collect()

    async def forget():
        asyncio.ensure_future(aio.Proxmox(**account).open("qemu/101"))

    asyncio.run(forget())
    assert asyncio.run(aio.Proxmox(**account).open("qemu/101")).kind == "vnc"
