"""The library's log lines in Python's logging."""

import asyncio
import logging
import threading
import time

import pytest

import browser
import consolepass
import consolepass.aio
from browser import PUBLIC_URL
from pve import TOKEN_SECRET


@pytest.fixture
def relay(proxmox):
    with consolepass.Relay({"dc1": proxmox}, listen="127.0.0.1:0", public_url=PUBLIC_URL) as relay:
        yield relay


def test_a_warning_of_a_call_is_there_when_the_call_returns(caplog, pve):
    consolepass.Proxmox(pve.address, token_id="a@pve!b", token_secret=TOKEN_SECRET, insecure=True)

    (record,) = caplog.records
    assert (record.name, record.levelno) == ("consolepass", logging.WARNING)
    assert "insecure" in record.getMessage() and f"host={pve.address}" in record.getMessage()
    assert record.fields == {"host": pve.address} and record.target == "consolepass::backend::proxmox"


def test_the_life_of_a_console_is_logged_from_the_relays_threads(caplog, relay):
    caplog.set_level(logging.INFO, "consolepass")
    issued = relay.issue("dc1", "qemu/101", user="100 %s %d")

    with browser.visit(relay.address, issued.url) as socket:
        browser.picture(socket)
    relay.stop()
    deadline = time.monotonic() + browser.PATIENCE
    while time.monotonic() < deadline and "console ended" not in [record.event for record in caplog.records]:
        time.sleep(0.01)

    events = [record.event for record in caplog.records]
    assert [event for event in events if "console" in event or "pass" in event] == [
        "pass issued",
        "pass taken",
        "console connected",
        "console ended",
    ]
    assert {record.fields["reference"] for record in caplog.records if "reference" in record.fields} == {issued.reference}
    assert "user=100 %s %d" in caplog.text
    assert TOKEN_SECRET not in caplog.text and issued.url.partition("pass=")[2] not in caplog.text


def test_a_level_that_is_off_costs_no_line_and_a_change_counts_from_the_next_call(caplog, relay):
    caplog.set_level(logging.WARNING, "consolepass")
    relay.issue("dc1", "qemu/101")
    assert not caplog.records
    caplog.set_level(logging.INFO, "consolepass")
    relay.issue("dc1", "qemu/101")
    assert [record.event for record in caplog.records] == ["pass issued"]


def test_logging_disabled_altogether_is_heard(caplog, relay):
    caplog.set_level(logging.INFO, "consolepass")
    logging.disable(logging.CRITICAL)
    try:
        relay.issue("dc1", "qemu/101")
    finally:
        logging.disable(logging.NOTSET)
    relay.issue("dc1", "qemu/101")

    assert [record.event for record in caplog.records] == ["pass issued"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_handler_may_use_the_library_and_may_fail(relay, proxmox):
    seen = []

    class Curious(logging.Handler):
        def emit(self, record):
            seen.append((relay.session_count, threading.current_thread().name))
            if record.event == "pass issued" and len(seen) < 5:
                relay.issue("dc1", "qemu/101")
            if record.event == "pass taken":
                proxmox.open("qemu/101")
                raise RuntimeError("a handler that fails")

    logger, handler = logging.getLogger("consolepass"), Curious()
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        issued = relay.issue("dc1", "qemu/101")
        with browser.visit(relay.address, issued.url) as socket:
            assert browser.is_screen(browser.picture(socket))
        relay.stop()
    except RuntimeError:
        pytest.fail("a handler's failure reached a call")
    finally:
        logger.setLevel(logging.NOTSET)
        logger.removeHandler(handler)

    assert len(seen) > 5


def test_the_log_and_calls_from_everywhere_do_not_block_each_other(relay, proxmox, account):
    """Threads that hold the interpreter, threads that wait, a loop, and the relay's own, all with a handler that is slow."""

    class Slow(logging.Handler):
        def emit(self, record):
            time.sleep(0.002)

    logger, handler = logging.getLogger("consolepass"), Slow()
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    stop = threading.Event()

    def busy():
        while not stop.is_set():
            sum(range(1000))
            assert relay.session_count >= 0

    def visit():
        with browser.visit(relay.address, relay.issue("dc1", "qemu/101").url) as socket:
            browser.picture(socket)

    async def loop():
        proxmox_of_loop = consolepass.aio.Proxmox(**account)
        for _ in range(5):
            # No console of these is there, and none takes a port.
            await asyncio.gather(*(proxmox_of_loop.open("qemu/999") for _ in range(4)), return_exceptions=True)

    try:
        threads = [threading.Thread(target=work) for work in (visit, visit, visit, lambda: asyncio.run(loop()), busy, busy)]
        for thread in threads:
            thread.start()
        for thread in threads[:-2]:
            thread.join(browser.PATIENCE)
            assert not thread.is_alive()
    finally:
        stop.set()
        logger.setLevel(logging.NOTSET)
        logger.removeHandler(handler)
