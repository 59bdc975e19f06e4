"""A customer portal with a console button, on one port.

Its own server keeps the port and its own log-in: the relay is mounted as a part of it. See README.md for how to run it.
"""

import html
import os

import consolepass.aio
from fastapi import FastAPI, Form, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.middleware.sessions import SessionMiddleware

# Who owns which machine. A real portal asks its database.
MACHINES = {
    "ada": {"web server": "qemu/101", "database": "lxc/200"},
    "bob": {"build machine": "qemu/102"},
}

pve = consolepass.aio.Proxmox.from_env()
relay = consolepass.aio.Relay(
    {"dc1": pve},
    public_url=os.environ.get("PORTAL_URL", "http://127.0.0.1:8000") + "/console",
    # With several workers, each has to know which passes the others have taken.
    pass_key_file=os.environ.get("PORTAL_PASS_KEY_FILE"),
    marks_dir=os.environ.get("PORTAL_MARKS_DIR"),
)

app = FastAPI()
app.mount("/console", relay.asgi)
app.add_middleware(SessionMiddleware, secret_key=os.environ.get("PORTAL_SESSION_KEY", os.urandom(32).hex()))


@app.get("/")
async def machines(request: Request) -> HTMLResponse:
    customer = request.session.get("customer")
    if customer is None:
        return page("<form method=post action=/login><input name=customer><button>Log in</button></form>")
    rows = (
        f'<li>{html.escape(name)} <form method=post action="/open/{machine}"><button>Console</button></form></li>'
        for name, machine in MACHINES[customer].items()
    )
    return page(f"<h1>Machines of {html.escape(customer)}</h1><ul>{''.join(rows)}</ul>")


@app.post("/login")
async def log_in(request: Request, customer: str = Form()) -> RedirectResponse:
    # A real portal checks a password.
    if customer not in MACHINES:
        raise HTTPException(403, "There is no such customer.")
    request.session["customer"] = customer
    return RedirectResponse("/", status_code=303)


# A POST, so that no prefetch and no link of somebody else's issues a pass.
@app.post("/open/{machine:path}")
async def open_console(request: Request, machine: str) -> RedirectResponse:
    """The click: is the machine the customer's, then a pass, then the viewer."""
    customer = request.session.get("customer", "")
    if machine not in MACHINES.get(customer, {}).values():
        raise HTTPException(403, "This machine is not yours.")
    try:
        issued = await relay.issue("dc1", machine, user=customer)
    except consolepass.Error as error:
        # The error's own words are for the log; the customer gets its sentence.
        raise HTTPException(502, error.sentence) from error
    return RedirectResponse(issued.viewer_url, status_code=303)


def page(body: str) -> HTMLResponse:
    return HTMLResponse(f"<!doctype html><html lang=en><title>Portal</title>{body}</html>")
