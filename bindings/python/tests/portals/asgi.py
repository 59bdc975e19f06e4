"""The same portal in four frameworks: a click issues a pass, and the relay is mounted under a prefix.

What is in the environment: PVE_HOST, PVE_FINGERPRINT, PVE_TOKEN_ID, PVE_TOKEN_SECRET, PUBLIC_URL; and PASS_KEY_FILE and
MARKS_DIR for signed passes.
"""

import json
import logging
import os

import consolepass.aio

logging.basicConfig(level=os.environ.get("PORTAL_LOG", "WARNING"))
backend = consolepass.aio.Proxmox(
    os.environ["PVE_HOST"],
    token_id=os.environ["PVE_TOKEN_ID"],
    token_secret=os.environ["PVE_TOKEN_SECRET"],
    fingerprint=os.environ["PVE_FINGERPRINT"],
)
# A screen of the test's own, in place of the hypervisor's.
screen = {"screen": consolepass.aio.Vnc(os.environ["VNC_HOST"])} if "VNC_HOST" in os.environ else {}
relay = consolepass.aio.Relay(
    {"dc1": backend, **screen},
    public_url=os.environ["PUBLIC_URL"],
    pass_key_file=os.environ.get("PASS_KEY_FILE"),
    marks_dir=os.environ.get("MARKS_DIR"),
)


async def issued():
    one = await relay.issue(*(("screen", "1") if screen else ("dc1", "qemu/101")), user="42")
    return {"url": one.url, "viewer_url": one.viewer_url, "reference": one.reference, "process": os.getpid()}


def starlette():
    from starlette.applications import Starlette
    from starlette.responses import JSONResponse
    from starlette.routing import Mount, Route

    async def click(_request):
        return JSONResponse(await issued())

    async def sessions(_request):
        return JSONResponse(relay.session_count)

    routes = [Route("/click", click, methods=["POST"]), Route("/sessions", sessions), Mount("/console", app=relay.asgi)]
    return Starlette(routes=routes)


def fastapi():
    from fastapi import FastAPI

    app = FastAPI()
    app.post("/click")(issued)
    app.get("/sessions")(lambda: relay.session_count)
    app.mount("/console", relay.asgi)
    return app


def channels():
    from channels.routing import ProtocolTypeRouter, URLRouter
    from django.conf import settings
    from django.urls import re_path

    if not settings.configured:
        settings.configure(ALLOWED_HOSTS=["*"])
    pages = URLRouter([re_path(r"^console/", relay.asgi), re_path(r"", plain)])
    return ProtocolTypeRouter({"http": pages, "websocket": URLRouter([re_path(r"^console/ws$", relay.asgi)])})


def whole():
    """No framework: what is not the portal's is the relay's, which is the whole application but for the click."""
    inner = relay.asgi

    async def app(scope, receive, send):
        if scope["type"] == "http" and scope["path"] in ("/click", "/sessions"):
            await plain(scope, receive, send)
        else:
            await inner(scope, receive, send)

    return app


async def plain(scope, _receive, send):
    body = json.dumps(await issued() if scope["path"] == "/click" else relay.session_count).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": body})
