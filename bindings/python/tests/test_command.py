"""`python -m consolepass` is the command."""

import json
import os
import signal
import subprocess
import sys
import time

import browser
from pve import TOKEN_ID, TOKEN_SECRET
from program import environment


def consolepass(*arguments, **more):
    done = subprocess.run(
        [sys.executable, "-m", "consolepass", *map(str, arguments)],
        env=environment(**more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=browser.PATIENCE,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_it_says_what_it_is_and_what_there_is():
    status, output, _ = consolepass("--version")
    assert (status, output.split()[0]) == (0, "consolepass")

    status, output, _ = consolepass("--help")
    assert status == 0
    assert all(word in output for word in ("open", "relay", "pass", "emulate", "demo", "Usage: consolepass"))


def test_its_exit_status_is_the_commands(pve):
    place = ("--host", pve.address, "--ca-file", pve.ca_file, "--token-id", TOKEN_ID, "--json")

    status, output, _ = consolepass("open", "qemu/101", *place, CONSOLEPASS_TOKEN_SECRET=TOKEN_SECRET)
    assert (status, json.loads(output)["machine"]) == (0, "pve1/qemu/101")

    status, output, _ = consolepass("open", "qemu/999", *place, CONSOLEPASS_TOKEN_SECRET=TOKEN_SECRET)
    assert (status, json.loads(output)["error"]["code"]) == (1, "machine_not_found")

    assert consolepass("open", "qemu/101", "--no-such-option")[0] == 2


def test_it_runs_until_ctrl_c_and_logs_to_standard_error():
    process = subprocess.Popen(
        [sys.executable, "-m", "consolepass", "demo", "--json"],
        env=environment(CONSOLEPASS_LOG="info"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        ready = json.loads(process.stdout.readline())
        url = ready["viewer_url"].replace("/#pass=", "/ws?pass=").replace("http://", "ws://")
        with browser.visit(ready["relay"], url, origin=f"http://{ready['relay']}") as socket:
            assert browser.is_screen(browser.picture(socket))
        begin = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=browser.PATIENCE)
    finally:
        process.kill()
        process.wait()

    assert process.returncode == 0 and time.monotonic() - begin < 10
    assert "console connected" in errors and "Traceback" not in errors


def test_arguments_that_are_no_text_are_refused_in_words():
    status, _, errors = consolepass("open", os.fsdecode(b"\xff\xfe"))

    assert status == 2 and "Traceback" not in errors
