"""Runs fakepve as a server of its own, with one guest that runs, one that is stopped, and an API token.

    python3 fakepve_server.py FOLDER

Its own command line knows no API tokens. Prints one JSON object when it listens.
"""

import asyncio
import json
import sys

from fakepve import FakePve
from fakepve.certs import make_cert

USER, PASSWORD = "root@pam", "a-password"
TOKEN_ID, TOKEN_SECRET = "root@pam!console", "11111111-2222-3333-4444-555555555555"
# Four by two pixels, no two alike, as red, green, blue.
SCREEN = (4, 2, bytes(range(10, 34)))


async def main(folder: str) -> None:
    certificate, key, _ = make_cert(folder)
    pve = FakePve(user=USER, password=PASSWORD, host="127.0.0.1", port=0)
    pve.apitokens[TOKEN_ID] = TOKEN_SECRET
    pve.add_vm(101, "running", status="running").screen = SCREEN
    pve.add_vm(102, "stopped", status="stopped")
    await pve.start(certificate, key)
    print(json.dumps({"address": f"{pve.host}:{pve.port}", "ca_file": certificate}), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
