"""The scenario in Python: see README.md."""

import json
import os
import subprocess
from pathlib import Path

import consolepass


class Portal:
    """What one step leaves to the next."""

    def log_in(self, step: dict) -> dict:
        account = {
            "token": {"token_id": os.environ["PVE_TOKEN_ID"], "token_secret": os.environ["PVE_TOKEN_SECRET"]},
            "password": {"username": os.environ["PVE_USERNAME"], "password": os.environ["PVE_PASSWORD"]},
        }[step["with"]]
        self.backend = consolepass.Proxmox(
            os.environ["PVE_HOST"], fingerprint=os.environ["PVE_FINGERPRINT"], **account
        )
        return {}

    def open(self, step: dict) -> dict:
        return {"machine": self.backend.open(step["machine"]).machine}

    def issue(self, step: dict) -> dict:
        self.relay = consolepass.Relay({"dc1": self.backend}, listen="127.0.0.1:0", public_url="http://portal.test")
        self.relay.start()
        self.issued = self.relay.issue("dc1", step["machine"], user=step["user"], ttl=step["ttl"])
        return {}

    def type(self, step: dict) -> dict:
        self.browser = self._browse("type", self._url(), step["text"])
        return self._hear(self.browser)

    def be_refused(self, _step: dict) -> dict:
        with self._browse("refused", self._url()) as browser:
            return self._hear(browser)

    def stop(self, _step: dict) -> dict:
        self.relay.stop()
        with self.browser:
            return self._hear(self.browser)

    def _url(self) -> str:
        # At the relay itself: there is no reverse proxy here.
        return self.issued.url.replace("portal.test", self.relay.address)

    @staticmethod
    def _browse(*arguments: str) -> subprocess.Popen:
        return subprocess.Popen([*os.environ["TYPIST"].split(" "), *arguments], stdout=subprocess.PIPE, text=True)

    @staticmethod
    def _hear(browser: subprocess.Popen) -> dict:
        return json.loads(browser.stdout.readline())


def main() -> None:
    portal = Portal()
    for step in json.loads(Path(os.environ["SCENARIO"]).read_text()):
        print(json.dumps({"do": step["do"], **getattr(portal, step["do"])(step)}), flush=True)


if __name__ == "__main__":
    main()
