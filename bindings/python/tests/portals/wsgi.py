"""The same portal in Flask, and without any framework: a click issues a pass, and the relay is mounted under a prefix.

What is in the environment: as for asgi.py.
"""

import json
import os

import consolepass

backend = consolepass.Proxmox(
    os.environ["PVE_HOST"],
    token_id=os.environ["PVE_TOKEN_ID"],
    token_secret=os.environ["PVE_TOKEN_SECRET"],
    fingerprint=os.environ["PVE_FINGERPRINT"],
)
relay = consolepass.Relay(
    {"dc1": backend},
    public_url=os.environ["PUBLIC_URL"],
    pass_key_file=os.environ.get("PASS_KEY_FILE"),
    marks_dir=os.environ.get("MARKS_DIR"),
)


def issued():
    one = relay.issue("dc1", "qemu/101", user="42")
    return {"url": one.url, "viewer_url": one.viewer_url, "reference": one.reference, "process": os.getpid()}


def flask():
    from flask import Flask, jsonify
    from werkzeug.middleware.dispatcher import DispatcherMiddleware

    app = Flask(__name__)
    app.post("/click")(lambda: jsonify(issued()))
    app.get("/sessions")(lambda: jsonify(relay.session_count))
    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/console": relay.wsgi})
    return app


def whole(environ, start_response):
    if environ["PATH_INFO"] in ("/click", "/sessions"):
        body = json.dumps(issued() if environ["PATH_INFO"] == "/click" else relay.session_count).encode()
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]
    return relay.wsgi(environ, start_response)


if __name__ == "__main__":
    import sys

    from werkzeug.serving import run_simple

    run_simple(
        "127.0.0.1",
        0,
        flask(),
        threaded=True,
        use_debugger="--debugger" in sys.argv,
    )
