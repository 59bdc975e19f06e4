"""Waiting lets everybody else go on: other threads, Ctrl-C, and other handlers of signals."""

import threading
import time

import pytest

import consolepass
from program import Running

WAITING = """
    import sys, time, consolepass
    proxmox = consolepass.Proxmox(sys.argv[1], token_id="a@pve!b", token_secret="c", insecure=True, timeout=60)
    {prepare}
    print("ready", flush=True)
    try:
        {call}
    except KeyboardInterrupt:
        print("interrupted", time.time(), flush=True)
"""
CALLS = {
    "a console": ("pass", "proxmox.open('qemu/101')"),
    "an event": (
        "relay = consolepass.Relay({'a': proxmox}, listen='127.0.0.1:0', public_url='http://127.0.0.1'); relay.start()",
        "relay.events().next()",
    ),
    "a relay's events": (
        "relay = consolepass.Relay({'a': proxmox}, listen='127.0.0.1:0', public_url='http://127.0.0.1'); relay.start()",
        "list(relay.events())",
    ),
    "a task": (
        "import asyncio; from consolepass import aio; "
        "proxmox = aio.Proxmox(sys.argv[1], token_id='a@pve!b', token_secret='c', insecure=True, timeout=60)",
        "asyncio.run(proxmox.open('qemu/101'))",
    ),
}


@pytest.mark.parametrize("what", CALLS)
def test_ctrl_c_ends_a_wait_at_once(silent, what):
    prepare, call = CALLS[what]
    with Running(WAITING.format(prepare=prepare, call=call), silent.address) as program:
        if "console" in what or "task" in what:
            # Its request is under way.
            connection = silent.accepted()
        else:
            time.sleep(0.1)
        begin = time.time()
        program.interrupt()
        status, output, errors = program.end()

    assert status == 0, errors
    word, at = output.split()
    assert word == "interrupted"
    assert float(at) - begin < 0.5


def test_a_handler_of_another_signal_runs_while_a_call_waits(silent):
    source = """
        import signal, sys, consolepass
        seen = []
        signal.signal(signal.SIGUSR1, lambda *_: seen.append("handled"))
        proxmox = consolepass.Proxmox(sys.argv[1], token_id="a@pve!b", token_secret="c", insecure=True, timeout=1)
        print("ready", flush=True)
        try:
            proxmox.open("qemu/101")
        except consolepass.Timeout:
            print(seen)
    """
    with Running(source, silent.address) as program:
        connection = silent.accepted()
        program.process.send_signal(10)
        status, output, errors = program.end()

    assert (status, output.strip()) == (0, "['handled']"), errors


def test_other_threads_run_while_one_waits(silent):
    proxmox = consolepass.Proxmox(silent.address, token_id="a@pve!b", token_secret="c", insecure=True, timeout=1)
    counted = 0
    failed = []

    def wait():
        try:
            proxmox.open("qemu/101")
        except consolepass.Timeout as error:
            failed.append(error)

    waiter = threading.Thread(target=wait)
    waiter.start()
    while waiter.is_alive():
        counted += 1
        time.sleep(0.001)

    assert failed and counted > 100


def test_one_handle_serves_many_threads_at_once(proxmox):
    kinds = []

    def open_some():
        for _ in range(10):
            kinds.append(proxmox.open("qemu/101").kind)

    threads = [threading.Thread(target=open_some) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert kinds == ["vnc"] * 80
