"""The emulator as a child, and the few calls to it that several tests need, made with `requests`."""

import shutil
import ssl
import tempfile
from pathlib import Path
from urllib.parse import quote

import requests

from child import PROGRAM, Child

USER, PASSWORD = "root@pam", "correct horse battery staple +%&;"
TOKEN_ID, TOKEN_SECRET = "portal@pve!console", "f3b0c1de-0d52-4a43-9a1e-6a55a1f4a001"
NODE = "pve1"
GUEST = "qemu/101"

# Seconds that a 401 takes, in place of the real server's three.
DELAY = 0.2


# Their screens are built in, but where a test has a guest of its own.
GUESTS = ("qemu/101=screen", "lxc/200=screen", "qemu/103=stopped")


class Emulated(Child):
    def __init__(self, *arguments: str, delay: float | None = DELAY, guests: tuple[str, ...] = GUESTS) -> None:
        if delay is not None:
            arguments = (*arguments, "--unauthorized-delay", str(delay))
        if "--banner-delay" not in arguments:
            arguments = (*arguments, "--banner-delay", "0.05")
        self._folder = Path(tempfile.mkdtemp(prefix="consolepass-emulator-"))
        self.ca_file = str(self._folder / "ca.pem")
        super().__init__(
            [
                *(PROGRAM, "emulate", "proxmox", "--json"),
                *(word for guest in guests for word in ("--guest", guest)),
                *("--user", USER, "--token", TOKEN_ID, "--ca-file", self.ca_file),
                *arguments,
            ],
            {"CONSOLEPASS_EMULATE_PASSWORD": PASSWORD, "CONSOLEPASS_EMULATE_TOKEN_SECRET": TOKEN_SECRET},
        )
        self.address: str = self.ready["address"]
        self.host, port = self.address.rsplit(":", 1)
        self.port = int(port)

    def stop(self) -> int:
        shutil.rmtree(self._folder, ignore_errors=True)
        return super().stop()

    @property
    def tls(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.ca_file)

    @property
    def tls_in_two_threads(self) -> ssl.SSLContext:
        """For the threaded client of `websockets`, which writes its request in one thread and reads in another already.

        In Python 3.11 nothing guards OpenSSL's connection against that. In TLS 1.3 a server's session tickets arrive just
        then, and now and then the client loses its connection; before any server that sends them, and never without.
        """
        context = self.tls
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        return context

    def url(self, path: str) -> str:
        return f"https://{self.address}/api2/json{path}"

    def post(self, path: str, headers: dict[str, str] | None = None, **fields: object) -> requests.Response:
        return requests.post(self.url(path), data=fields, headers=headers, verify=self.ca_file, timeout=30)

    def log_in(self) -> dict[str, str]:
        """The headers of a user who has logged in."""
        answer = self.post("/access/ticket", username=USER, password=PASSWORD)
        assert answer.status_code == 200, answer.reason
        data = answer.json()["data"]
        return {"Cookie": cookie(data["ticket"]), "CSRFPreventionToken": data["CSRFPreventionToken"]}

    def ticket(self, headers: dict[str, str], guest: str = GUEST) -> dict[str, str]:
        """A console's ticket, port, and, since April 2026, its password."""
        answer = self.post(f"/nodes/{NODE}/{guest}/vncproxy", headers, websocket=1)
        assert answer.status_code == 200, answer.reason
        return answer.json()["data"]

    def websocket(self, ticket: dict[str, str], guest: str = GUEST, spelled=lambda text: quote(text, safe="")) -> str:
        place = f"wss://{self.address}/api2/json/nodes/{NODE}/{guest}/vncwebsocket"
        return f"{place}?port={ticket['port']}&vncticket={spelled(ticket['ticket'])}"


def cookie(ticket: str) -> str:
    return f"PVEAuthCookie={quote(ticket, safe='')}"


def token() -> dict[str, str]:
    """The headers of an API token, for every call and for the websocket."""
    return {"Authorization": f"PVEAPIToken={TOKEN_ID}={TOKEN_SECRET}"}
