"""The portal in examples/python, under the server that its README names."""

import http.cookiejar
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

import browser
from pve import TOKEN_ID, TOKEN_SECRET
from servers import Server

EXAMPLE = Path(__file__).resolve().parents[3] / "examples/python"


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class Customer:
    """A browser's cookies, and its clicks."""

    def __init__(self, address):
        self.address = address
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(cookies, NoRedirect)

    def click(self, path, **fields):
        data = urllib.parse.urlencode(fields).encode() if fields else b""
        return self._answer(urllib.request.Request(f"http://{self.address}{path}", data=data, method="POST"))

    def look(self, path):
        return self._answer(f"http://{self.address}{path}")

    def _answer(self, request):
        try:
            with self._opener.open(request, timeout=browser.PATIENCE) as answer:
                return answer.status, answer.headers, answer.read().decode()
        except urllib.error.HTTPError as answer:
            with answer:
                return answer.status, answer.headers, answer.read().decode()


@pytest.fixture(scope="module")
def portal(pve):
    account = {"host": pve.address, "token_id": TOKEN_ID, "token_secret": TOKEN_SECRET, "fingerprint": pve.ready["fingerprint"]}
    names = {
        "PROXMOX_HOST": pve.address,
        "PROXMOX_API_TOKEN": f"{TOKEN_ID}={TOKEN_SECRET}",
        "PROXMOX_FINGERPRINT": pve.ready["fingerprint"],
        "PORTAL_URL": browser.ORIGIN,
    }
    with Server(("uvicorn", "--fd", "{fd}", "portal:app"), account, folder=EXAMPLE, ready="/", **names) as server:
        yield server


def test_a_customer_opens_a_console_of_a_machine_of_theirs(portal):
    ada = Customer(portal.address)
    assert "Log in" in ada.look("/")[2]
    assert ada.click("/login", customer="ada")[0] == 303
    assert "/open/qemu/101" in ada.look("/")[2]

    status, headers, _ = ada.click("/open/qemu/101")

    assert status == 303
    link = headers["Location"]
    assert link.startswith(f"{browser.PUBLIC_URL}/#pass=")
    assert "<script" in ada.look("/console/")[2]
    with browser.visit(portal.address, f"{browser.PUBLIC_URL}/ws?pass={link.partition('#pass=')[2]}") as socket:
        assert browser.is_screen(browser.picture(socket))


def test_nobody_opens_a_machine_of_somebody_else(portal):
    bob, nobody = Customer(portal.address), Customer(portal.address)
    bob.click("/login", customer="bob")

    assert bob.click("/open/qemu/101")[0] == 403
    assert nobody.click("/open/qemu/101")[0] == 403
    assert nobody.click("/login", customer="eve")[0] == 403
    assert bob.look("/open/qemu/102")[0] == 405, "a link opens nothing"


def test_a_failure_is_told_in_the_customers_words(portal):
    bob = Customer(portal.address)
    bob.click("/login", customer="bob")

    # A pass is issued without asking the hypervisor; that the machine is missing is said in the viewer.
    status, headers, _ = bob.click("/open/qemu/102")

    assert status == 303
    url = f"{browser.PUBLIC_URL}/ws?pass={headers['Location'].partition('#pass=')[2]}"
    assert browser.refusal(portal.address, url) == (4005, "machine_not_found")
