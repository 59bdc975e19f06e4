"""How programs end: with a relay running, with threads that wait, with objects freed in any order."""

import itertools

import pytest

from program import run

START = """
    import atexit, gc, logging, os, sys, threading, time, asyncio
    # Exit handlers that were there before the package's own, and so come after it.
    late = []
    atexit.register(lambda: [call() for call in late])
    import consolepass
    from consolepass import aio
    host, fingerprint, secret = sys.argv[1:4]
    proxmox = consolepass.Proxmox(host, token_id="portal@pve!console", token_secret=secret, fingerprint=fingerprint)
    awaited = aio.Proxmox(host, token_id="portal@pve!console", token_secret=secret, fingerprint=fingerprint)
    relay = consolepass.Relay({"dc1": proxmox}, listen="127.0.0.1:0", public_url="http://127.0.0.1")
    def busy():
        # Longer than the 5 milliseconds after which Python lets another thread go on.
        for _ in range(1_000_000):
            pass
    class Slow:
        # Freed when Python has ended its daemon threads, so that each of them hears of it.
        def __del__(self, sleep=time.sleep):
            sleep(0.1)
    def many(work):
        sys.slow = Slow()
        def forever():
            while True:
                try:
                    work()
                except consolepass.Error:
                    pass
        for _ in range(8):
            threading.Thread(target=forever, daemon=True).start()
        time.sleep(0.2)
"""
# What a busy thread does at the moment of the end is another thing each time.
TIMES = 5
ENDINGS = {
    "a relay that runs": "relay.start()",
    "a relay that runs, and its events": "relay.start(); events = relay.events(); issued = relay.issue('dc1', 'qemu/101')",
    "sys.exit in the middle": "relay.start(); sys.exit(0)",
    "a daemon thread that waits for an event": (
        "relay.start(); threading.Thread(target=lambda: list(relay.events()), daemon=True).start(); time.sleep(0.1)"
    ),
    "a daemon thread that asks all the time": """
    def forever():
        while True:
            try:
                proxmox.open("qemu/999")
            except consolepass.MachineNotFound:
                pass
    threading.Thread(target=forever, daemon=True).start(); time.sleep(0.2)""",
    "a daemon thread that logs all the time": """
    logging.basicConfig(level=logging.DEBUG, stream=open(os.devnull, "w"))
    relay.start()
    def forever():
        while True:
            relay.issue("dc1", "qemu/101")
    threading.Thread(target=forever, daemon=True).start(); time.sleep(0.2)""",
    "daemon threads that issue and log all the time": """
    logging.basicConfig(level=logging.INFO, stream=open(os.devnull, "w"))
    relay.start()
    many(lambda: relay.issue("dc1", "qemu/101", user="42"))""",
    "daemon threads that get errors all the time": """
    many(lambda: proxmox.open(5))""",
    "daemon threads that give paths all the time": """
    class Path:
        def __fspath__(self):
            busy()
            return "/nowhere"
    many(lambda: consolepass.Proxmox("pve", username="a@pam", password="b", ca_file=Path()))""",
    "daemon threads whose handler of the log fails all the time": """
    class Fails(logging.Handler):
        def emit(self, record):
            raise ValueError
    sys.unraisablehook = lambda _: busy()
    logging.getLogger("consolepass").addHandler(Fails()); logging.getLogger("consolepass").setLevel(logging.INFO)
    relay.start()
    many(lambda: relay.issue("dc1", "qemu/101"))""",
    "a handler of the log that outlasts the end's patience": """
    class Busy(logging.Handler):
        # In place of emit(), for which Python's own exit handler would wait.
        def handle(self, record):
            while True:
                pass
    relay.start()
    logging.getLogger("consolepass").addHandler(Busy()); logging.getLogger("consolepass").setLevel(logging.INFO)
    threading.Thread(target=lambda: relay.issue("dc1", "qemu/101"), daemon=True).start(); time.sleep(0.2)""",
    "a late exit handler that waits for a daemon thread": """
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    late.append(lambda: print(asyncio.run_coroutine_threadsafe(awaited.open("qemu/101"), loop).result().kind))""",
    "an event loop in a daemon thread": """
    async def forever():
        proxmox = aio.Proxmox(host, token_id="portal@pve!console", token_secret=secret, fingerprint=fingerprint)
        while True:
            await asyncio.gather(*(proxmox.open("qemu/999") for _ in range(5)), return_exceptions=True)
    threading.Thread(target=lambda: asyncio.run(forever()), daemon=True).start(); time.sleep(0.2)""",
    "a handler of the log that is slow": """
    class Late(logging.Handler):
        def emit(self, record):
            time.sleep(0.3)
    logging.getLogger("consolepass").addHandler(Late()); logging.getLogger("consolepass").setLevel(logging.DEBUG)
    relay.start()""",
    "a call in an exit handler": "relay.start(); atexit.register(lambda: print(proxmox.open('qemu/101').kind))",
    "a cycle with a relay in it": "relay.start(); relay_in_a_list = [relay]; relay_in_a_list.append(relay_in_a_list)",
    "a call in a late exit handler": "relay.start(); late.append(lambda: print(proxmox.open('qemu/101').kind))",
    "an await in a late exit handler": "relay.start(); late.append(lambda: print(asyncio.run(awaited.open('qemu/101')).kind))",
    "an await in a late exit handler, the first of all": "late.append(lambda: print(asyncio.run(awaited.open('qemu/101')).kind))",
    "two that await in a late exit handler, one for the other": """
    async def bye():
        relay = aio.Relay({"dc1": awaited}, listen="127.0.0.1:0", public_url="http://127.0.0.1")
        await relay.start()
        event = asyncio.ensure_future(relay.events().next())
        await asyncio.sleep(0.05)
        await relay.stop()
        try:
            await event
        except consolepass.Closed:
            print("vnc")
    proxmox.open("qemu/101"); late.append(lambda: asyncio.run(bye()))""",
    "os._exit": "relay.start(); os._exit(0)",
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_program_ends_cleanly_with(pve, account, ending):
    source = START + "    " + ENDINGS[ending]
    for _ in range(TIMES if "many(" in ENDINGS[ending] else 1):
        status, output, errors = run(source, account["host"], account["fingerprint"], account["token_secret"])

        assert (status, errors) == (0, ""), f"{status}: {errors}"
        assert output.strip() == ("vnc" if "print(" in ENDINGS[ending] else "")


def test_objects_may_be_freed_in_any_order(pve, account):
    source = START + """
    relay.start()
    events = relay.events()
    issued = relay.issue("dc1", "qemu/101")
    console = proxmox.open("qemu/101")
    operation = proxmox._native.open("qemu/101", "vnc")
    started = proxmox._native.open("qemu/101", "vnc"); started.start()
    names = sys.argv[4].split(",")
    for name in names:
        del globals()[name]
        gc.collect()
    print("done")
    """
    names = ["proxmox", "relay", "events", "issued", "console", "operation", "started"]
    orders = [names, names[::-1], *(order for order in itertools.islice(itertools.permutations(names), 700, 5040, 1400))]
    for order in orders:
        status, output, errors = run(source, account["host"], account["fingerprint"], account["token_secret"], ",".join(order))

        assert (status, output.strip(), errors) == (0, "done", ""), (order, status, errors)
