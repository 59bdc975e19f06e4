"""Portals of several processes: what each issues, and what the others take."""

import concurrent.futures
import itertools
import time

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

import browser
import consolepass
from program import run
from pve import TOKEN_ID, TOKEN_SECRET
from servers import Server

WORKERS = {
    "uvicorn": ("uvicorn", "--fd", "{fd}", "--workers", "4", "--ws", "websockets-sansio", "--factory", "asgi:starlette"),
    "gunicorn --preload": (
        *("gunicorn", "--no-control-socket", "--bind", "fd://{fd}", "--preload", "--workers", "4"),
        *("--config", "workers.py", "--worker-class", "gthread", "--threads", "4", "wsgi:flask()"),
    ),
}


def serve(kind, account, **more):
    # gunicorn is not to be stopped before all of its workers listen to signals: see portals/workers.py.
    return Server(WORKERS[kind], account, workers=4 if kind.startswith("gunicorn") else 0, **more)


@pytest.fixture(scope="module")
def portal_account(pve):
    return {"host": pve.address, "token_id": TOKEN_ID, "token_secret": TOKEN_SECRET, "fingerprint": pve.ready["fingerprint"]}


def outcome(server, url):
    """The code that a browser ends with, or the picture; or the status that it gets in place of a websocket."""
    try:
        with browser.visit(server.address, url, protocols=[browser.CONTROL]) as socket:
            try:
                while True:
                    if isinstance(socket.recv(browser.PATIENCE), bytes):
                        return "picture"
            except ConnectionClosed:
                return socket.close_reason
    except InvalidStatus as refused:
        return refused.response.status_code


def clicks(server, pool):
    """Nine passes, of at least two workers if another than the first takes a connection in time: a quick one takes them all."""
    passes, deadline = {}, time.monotonic() + browser.PATIENCE
    while len(passes) < 2 and time.monotonic() < deadline:
        for issued in pool.map(lambda _: server.click(), range(32)):
            passes.setdefault(issued["process"], []).append(issued)
    # The last of each in turn: a pass waits a minute for its browser, and an earlier one may have waited long.
    in_turn = itertools.zip_longest(*(reversed(issued) for issued in passes.values()))
    return [issued for round in in_turn for issued in round if issued is not None][:9]


@pytest.mark.parametrize("kind", WORKERS)
def test_signed_passes_are_taken_by_any_worker_and_once_by_all_of_them(portal_account, key_file, tmp_path, kind):
    marks = tmp_path / "marks"
    marks.mkdir()
    more = {"PASS_KEY_FILE": key_file, "MARKS_DIR": marks, "USED_BEFORE_THE_FORK": "yes"}
    with serve(kind, portal_account, **more) as server:
        with concurrent.futures.ThreadPoolExecutor(32) as pool:
            passes = clicks(server, pool)
            # One after the other, since two workers that open one machine at once may overwrite each other's password of its
            # display; and then all at once.
            first = [outcome(server, issued["url"]) for issued in passes[:8]]
            again = list(pool.map(lambda issued: outcome(server, issued["url"]), passes[:8] * 3))
            race = list(pool.map(lambda _: outcome(server, passes[8]["url"]), range(16)))

    assert len({issued["process"] for issued in passes}) > 1, "one worker answered every click"
    assert first == ["picture"] * 8
    assert again == ["pass_used"] * 24
    assert sorted(race) == ["pass_used"] * 15 + ["picture"]


@pytest.mark.parametrize("kind", WORKERS)
def test_passes_in_memory_say_that_they_are_another_workers_and_what_to_do(portal_account, kind):
    with serve(kind, portal_account, PORTAL_LOG="INFO") as server:
        seen = []
        with concurrent.futures.ThreadPoolExecutor(32) as pool:
            while not {"picture", "pass_foreign"} <= set(seen) and len(seen) < 200:
                # One after the other: two workers that open one machine at once may overwrite its display's password.
                seen += [outcome(server, issued["url"]) for issued in clicks(server, pool)]
        assert set(seen) == {"picture", "pass_foreign"}
        # The log is told a moment after the browser.
        server.wait_for("code=pass_foreign.*the same pass_key_file and marks_dir")


def test_signed_passes_without_a_shared_folder_are_refused_in_words(portal_account, key_file):
    with serve("uvicorn", portal_account, PASS_KEY_FILE=key_file) as server:
        assert outcome(server, server.click()["url"]) == "invalid_argument"
        server.wait_for("marks_dir")

    with serve("gunicorn --preload", portal_account, PASS_KEY_FILE=key_file) as server:
        # Where the relay has the connection, it answers itself, and the log says why.
        assert outcome(server, server.click()["url"]) == 503
        server.wait_for("ERROR.*was not served.*marks_dir")
        assert server.words().count("was not served") == 1, server.words()


@pytest.mark.parametrize("before", [{}, {"USED_BEFORE_THE_FORK": "yes"}], ids=["new", "used before"])
def test_an_issuer_of_a_module_is_every_workers_after_a_preload(portal_account, key_file, tmp_path, before):
    more = {"PASS_KEY_FILE": key_file, "MARKS_DIR": tmp_path, "ISSUER": "yes", **before}
    with serve("gunicorn --preload", portal_account, **more) as server:
        with concurrent.futures.ThreadPoolExecutor(32) as pool:
            passes = clicks(server, pool)
        outcomes = [outcome(server, issued["url"]) for issued in passes]

    assert len({issued["process"] for issued in passes}) > 1, "one worker answered every click"
    assert len({issued["reference"] for issued in passes}) == len(passes)
    assert outcomes == ["picture"] * len(passes)


def test_one_relay_beside_workers_that_only_issue(portal_account, key_file, tmp_path):
    """What a portal has that runs `consolepass relay` as a service: its workers need the key and nothing else."""
    source = """
        import sys, multiprocessing, consolepass
        issuer = consolepass.Issuer(public_url=sys.argv[1], pass_key_file=sys.argv[2])
        def issue(_):
            return issuer.issue("dc1", "qemu/101", user="42").url
        with multiprocessing.get_context("fork").Pool(4) as pool:
            print(*pool.map(issue, range(8)))
    """
    backend = consolepass.Proxmox(**portal_account)
    # With a folder, so that it takes passes from before its start as well.
    options = {"public_url": browser.PUBLIC_URL, "pass_key_file": key_file, "marks_dir": tmp_path}
    with consolepass.Relay({"dc1": backend}, listen="127.0.0.1:0", **options) as relay:
        status, output, errors = run(source, browser.PUBLIC_URL, key_file)
        urls = output.split()
        assert status == 0 and len(urls) == 8, errors

        assert [outcome(relay, url) for url in urls] == ["picture"] * 8
        assert [outcome(relay, url) for url in urls] == ["pass_used"] * 8
