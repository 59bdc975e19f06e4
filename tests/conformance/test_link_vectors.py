"""The links of the shared vectors, read as the pages read them: a vector that follows our code instead of the pages fails."""

import json
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from novnc_page import Opened, open_page

VECTORS = Path(__file__).resolve().parent.parent / "vectors"
# The player of a vector could be anywhere.
PORT = "45678"
PASS = "a.b-_~"


def filled(text: str, address: str) -> str:
    return text.replace("{address}", address).replace("{port}", PORT).replace("{pass}", PASS)


def links_of_pages() -> list:
    found = []
    for file in sorted(VECTORS.glob("links-*.json")):
        for vector in json.loads(file.read_text(encoding="utf-8")):
            call = vector["call"].get("open") or vector["call"].get("issue") or {}
            if "novnc_url" in call.get("then", {}) and "result" in vector:
                found.append(pytest.param(vector, id=vector["name"]))
    return found


def console(vector: dict, address: str) -> tuple[str, str]:
    """The websocket that pveproxy answers for, and the password: from what it said, and where it is."""
    host = vector["options"].get("host", "{address}")
    host = filled(host[-1] if isinstance(host, list) else host, address)
    place = urlsplit(host if "://" in host else f"https://{host}")
    exchange = vector["exchanges"][-1]
    answer = exchange["response"]["json"]["data"]
    path = exchange["request"]["path"].removesuffix("vncproxy") + "vncwebsocket"
    query = f"port={answer['port']}&vncticket={quote(answer['ticket'], safe='')}"
    return f"wss://{place.netloc}{path}?{query}", answer.get("password", answer["ticket"][:8])


def relayed(vector: dict) -> str:
    place = urlsplit(vector["options"]["public_url"])
    port = place.port or {"https": 443, "http": 80}[place.scheme]
    host = f"[{place.hostname}]" if ":" in place.hostname else place.hostname
    scheme = {"https": "wss", "http": "ws"}[place.scheme]
    return f"{scheme}://{host}:{port}{place.path.rstrip('/')}/ws?pass={PASS}"


def size(page: str, wanted: str) -> str:
    """What the page can do of it: vnc_auto.html cannot scale, and nobody asked it to."""
    return "off" if page.endswith("vnc_auto.html") and wanted == "scale" else wanted


def test_there_are_links_to_read():
    assert len(links_of_pages()) >= 90


@pytest.mark.parametrize("vector", links_of_pages())
def test_the_page_opens_what_the_link_is_for(vector):
    address = f"[{vector['listen']}]:{PORT}" if ":" in vector.get("listen", "") else f"127.0.0.1:{PORT}"
    call = vector["call"].get("open") or vector["call"]["issue"]
    asked = call["then"]["novnc_url"]
    options = asked.get("options", {})
    major, minor, *_ = options.get("version", "1.7").split(".")
    if "open" in vector["call"]:
        websocket, password = console(vector, address)
    else:
        websocket, password = relayed(vector), None

    opened = open_page(filled(vector["result"], address), (int(major), int(minor)))

    assert opened == Opened(
        websocket=websocket,
        password=password if options.get("with_password") else None,
        view_only=options.get("view_only", False),
        size=size(asked["page"], options.get("resize", "scale")),
        connects=True,
        reconnects=False,
    )
