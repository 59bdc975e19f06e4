"""The same with asyncio: awaiting, cancelling, and not standing in anybody's way."""

import asyncio
import gc
import socket
import threading
import time

import pytest

import browser
import consolepass
from browser import PUBLIC_URL
from consolepass import aio


@pytest.fixture
def proxmox(account):
    return aio.Proxmox(**account)


def test_a_console_is_awaited(proxmox, pve):
    console = asyncio.run(proxmox.open("qemu/101"))

    assert isinstance(console, consolepass.Console) and console.address == pve.address


def test_a_refusal_is_raised_where_it_is_awaited(proxmox):
    with pytest.raises(consolepass.MachineNotFound):
        asyncio.run(proxmox.open("qemu/999"))


def test_a_relay_lives_in_an_async_with(proxmox):
    async def main():
        async with aio.Relay({"dc1": proxmox}, listen="127.0.0.1:0", public_url=PUBLIC_URL) as relay:
            issued = await relay.issue("dc1", "qemu/101", user="42")
            events, whats = relay.events(timeout=5), []

            def visit():
                with browser.visit(relay.address, issued.url) as websocket:
                    return browser.picture(websocket)

            seen = await asyncio.to_thread(visit)
            async for event in events:
                whats.append(event.what)
                if event.what == "ended":
                    break
            assert await relay.revoke("0000000000") is False
            assert await events.next(0) is None
            return seen, whats, relay

    seen, whats, relay = asyncio.run(main())

    assert browser.is_screen(seen)
    assert whats == ["taken", "connected", "ended"]
    assert relay.address is None


def test_a_stop_that_is_given_up_goes_on_and_others_wait_for_it(proxmox):
    async def main():
        relay = aio.Relay({"dc1": proxmox}, listen="127.0.0.1:0", public_url=PUBLIC_URL)
        await relay.start()
        events = relay.events(timeout=browser.PATIENCE)
        with await asyncio.to_thread(browser.deaf, relay.address, (await relay.issue("dc1", "qemu/101")).url):
            whats = [(await events.next(browser.PATIENCE)).what for _ in range(2)]
            given_up = asyncio.ensure_future(relay.stop())
            await asyncio.sleep(0.05)
            given_up.cancel()
            others = [asyncio.ensure_future(relay.stop()) for _ in range(2)]
            # The console ends no sooner than its browser.
            await asyncio.sleep(0.2)
            waiting = [not other.done() for other in others]
            listened = asyncio.ensure_future(events.next())
            await asyncio.sleep(0.1)
        await asyncio.gather(*others)
        whats.append((await listened).what)
        return given_up.cancelled(), waiting, whats, [event async for event in events]

    assert asyncio.run(main()) == (True, [True, True], ["taken", "connected", "ended"], [])


def test_the_loop_goes_on_while_something_is_awaited(silent):
    """A call that takes a second must not keep the loop from anything else."""

    async def main():
        ticks = 0
        task = asyncio.ensure_future(aio.Proxmox(silent.address, token_id="a@pve!b", token_secret="c", insecure=True, timeout=1).open("qemu/101"))
        while not task.done():
            await asyncio.sleep(0.01)
            ticks += 1
        with pytest.raises(TimeoutError):
            await task
        return ticks

    assert asyncio.run(main()) > 30


def test_cancelling_a_task_cancels_its_request(silent):
    async def main():
        task = asyncio.ensure_future(aio.Proxmox(silent.address, token_id="a@pve!b", token_secret="c", insecure=True, timeout=60).open("qemu/101"))
        connection = await asyncio.to_thread(silent.accepted)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        # The server sees the connection end.
        return await asyncio.to_thread(silent.rest, connection)

    begin = time.monotonic()
    asyncio.run(main())

    assert time.monotonic() - begin < 10


def test_a_timeout_of_asyncio_is_one(silent):
    async def main():
        proxmox = aio.Proxmox(silent.address, token_id="a@pve!b", token_secret="c", insecure=True, timeout=60)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(proxmox.open("qemu/101"), 0.1)

    asyncio.run(main())


def test_a_loop_that_is_closed_with_something_awaited_hurts_nobody(silent, proxmox):
    loop = asyncio.new_event_loop()
    task = loop.create_task(aio.Proxmox(silent.address, token_id="a@pve!b", token_secret="c", insecure=True, timeout=1).open("qemu/101"))
    loop.run_until_complete(asyncio.sleep(0.05))
    loop.close()
    # Longer than its timeout: it is done, and there is no loop to tell.
    time.sleep(1.3)
    task._log_destroy_pending = False
    del task
    gc.collect()

    assert asyncio.run(proxmox.open("qemu/101")).kind == "vnc"


def test_many_loops_in_many_threads(proxmox):
    kinds = []

    def run():
        async def main():
            consoles = await asyncio.gather(*(proxmox.open("qemu/101") for _ in range(5)))
            kinds.extend(console.kind for console in consoles)

        asyncio.run(main())

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(browser.PATIENCE)

    assert kinds == ["vnc"] * 30


def test_an_issuer_is_awaited(key_file):
    issuer = aio.Issuer(public_url=PUBLIC_URL, pass_key_file=key_file)

    issued = asyncio.run(issuer.issue("dc1", "qemu/101", user="42"))

    assert issued.url.startswith("wss://portal.example.com/console/ws?pass=")



