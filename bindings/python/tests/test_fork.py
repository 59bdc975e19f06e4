"""Forking: what a child may do with what its parent has made."""

import pytest

from program import run

START = """
    import asyncio, gc, logging, os, sys, threading, time
    import consolepass
    from consolepass import aio
    host, fingerprint, secret, key = sys.argv[1:5]
    account = dict(token_id="portal@pve!console", token_secret=secret, fingerprint=fingerprint)
    proxmox = consolepass.Proxmox(host, **account)
    issuer = consolepass.Issuer(public_url="http://127.0.0.1", pass_key_file=key)
    relay = consolepass.Relay({"dc1": proxmox}, listen="127.0.0.1:0", public_url="http://127.0.0.1")

    def in_child(work):
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            status = 1
            try:
                work()
                status = 0
            except BaseException:
                import traceback
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                os._exit(status)
        return child

    def ended(child):
        assert os.waitpid(child, 0)[1] == 0
"""


@pytest.fixture
def program(account, key_file):
    def start(source):
        status, output, errors = run(START + source, account["host"], account["fingerprint"], account["token_secret"], key_file)
        assert status == 0, errors
        return output.strip(), errors

    return start


def test_a_relay_that_was_started_refuses_in_a_child_and_goes_on_in_the_parent(program):
    output, _ = program("""
    relay.start()
    events = relay.events()
    def child():
        for call in (relay.start, lambda: relay.issue("dc1", "qemu/101"), lambda: relay.revoke("0000000000"), relay.events,
                     lambda: events.next(0), relay.stop, relay._native.check):
            try:
                call()
            except consolepass.Forked as error:
                assert error.code == "forked" and "process" in str(error), error
            else:
                raise AssertionError("it did not refuse")
        assert relay.session_count == 0 and relay.address is None
        print("refused")
    ended(in_child(child))
    issued = relay.issue("dc1", "qemu/101")
    assert relay.address
    relay.stop()
    print("went on")
    """)

    assert output.split("\n") == ["refused", "went on"]


def test_a_websocket_of_an_asgi_server_is_refused_in_a_child_and_goes_on_in_the_parent(program):
    output, _ = program("""
    headers = [(b"origin", b"http://127.0.0.1"), (b"sec-websocket-protocol", b"binary")]
    query = relay.issue("dc1", "qemu/101").url.partition("?")[2]
    socket = relay._native.accept(query, headers).wait()
    child = os.fork()
    if child == 0:
        for call in (socket.receive, lambda: socket.send(b"RFB 003.008\\n")):
            try:
                call()
            except consolepass.Forked:
                pass
            else:
                os._exit(1)
        del socket
        gc.collect()
        os._exit(0)
    ended(child)
    assert socket.receive().wait() == b"RFB 003.008\\n"
    socket.send(b"RFB 003.008\\n").wait()
    assert socket.receive().wait() == b"\\x01\\x01"
    relay.stop()
    print("went on")
    """)

    assert output == "went on"


def test_what_a_parent_awaits_may_be_cancelled_in_a_child(program):
    output, errors = program("""
    import socket
    silent = socket.create_server(("127.0.0.1", 0))
    waiting = aio.Proxmox("127.0.0.1:%d" % silent.getsockname()[1], **account)
    loop = asyncio.new_event_loop()
    task = loop.create_task(waiting.open("qemu/101"))
    loop.run_until_complete(asyncio.sleep(0.05))
    def child():
        task.cancel()
        ended = loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
        assert isinstance(ended[0], asyncio.CancelledError), ended
    ended(in_child(child))
    task.cancel()
    loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
    print("both")
    """)

    assert (output, errors) == ("both", "")


def test_everything_else_works_on_both_sides(program):
    output, _ = program("""
    proxmox.open("qemu/101")
    issuer.issue("dc1", "qemu/101")
    asyncio.run(aio.Proxmox(host, **account).open("qemu/101"))
    other = aio.Proxmox(host, **account)
    def child():
        assert proxmox.open("qemu/101").kind == "vnc"
        assert issuer.issue("dc1", "qemu/101").url
        assert asyncio.run(other.open("qemu/101")).kind == "vnc"
        relay.start()
        assert relay.issue("dc1", "qemu/101")
        relay.stop()
        def grandchild():
            assert proxmox.open("qemu/101").kind == "vnc"
        ended(in_child(grandchild))
        print("child")
    ended(in_child(child))
    proxmox.open("qemu/101")
    relay.start()
    relay.stop()
    print("parent")
    """)

    assert output.split("\n") == ["child", "parent"]


def test_a_child_may_free_what_is_the_parents_and_end_as_it_likes(program):
    output, errors = program("""
    logging.basicConfig(level=logging.DEBUG, stream=open(os.devnull, "w"))
    relay.start()
    events = relay.events()
    issued = relay.issue("dc1", "qemu/101")
    child = os.fork()
    if child == 0:
        del relay, events, issued, proxmox, issuer
        gc.collect()
        # Its own end, with exit handlers, and not os._exit.
        sys.exit(0)
    ended(child)
    assert relay.issue("dc1", "qemu/101")
    print("fine")
    """)

    assert (output, errors) == ("fine", "")


def test_forks_in_the_middle_of_work_neither_hang_nor_crash(program):
    """Threads that call, log and await, while another forks: whatever they hold at that moment stays held in the child."""
    output, _ = program("""
    class Null(logging.Handler):
        def emit(self, record):
            self.format(record)
    logging.getLogger("consolepass").addHandler(Null())
    logging.getLogger("consolepass").setLevel(logging.DEBUG)
    relay.start()
    stop = threading.Event()
    def work():
        while not stop.is_set():
            relay.issue("dc1", "qemu/101")
            try:
                proxmox.open("qemu/999")
            except consolepass.MachineNotFound:
                pass
    def await_work():
        async def main():
            proxmox = aio.Proxmox(host, **account)
            while not stop.is_set():
                await asyncio.gather(*(proxmox.open("qemu/999") for _ in range(3)), return_exceptions=True)
        asyncio.run(main())
    threads = [threading.Thread(target=target) for target in (work, work, await_work)]
    for thread in threads:
        thread.start()
    def child():
        try:
            proxmox.open("qemu/999")
        except consolepass.MachineNotFound:
            pass
        issuer.issue("dc1", "qemu/101")
        gc.collect()
    try:
        for _ in range(25):
            children = [in_child(child), in_child(child)]
            for one in children:
                ended(one)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    print("done")
    """)

    assert output == "done"


def test_multiprocessing_by_fork_and_by_spawn(program, account):
    output, _ = program("""
    import multiprocessing
    global proxmox_of_child
    proxmox.open("qemu/101")
    def open_one(_):
        return proxmox.open("qemu/101").kind
    with multiprocessing.get_context("fork").Pool(3) as pool:
        print(pool.map(open_one, range(6)))
    """)

    assert output == str(["vnc"] * 6)
