"""The same portal in Flask, and without any framework: a click issues a pass, and the relay is mounted under a prefix.

What is in the environment: as for asgi.py.
"""

import json
import logging
import os

import consolepass

logging.basicConfig(level=os.environ.get("PORTAL_LOG", "WARNING"))
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
# A portal whose relay is a service of its own has this, and no relay.
issuer = (
    consolepass.Issuer(public_url=os.environ["PUBLIC_URL"], pass_key_file=os.environ["PASS_KEY_FILE"])
    if "ISSUER" in os.environ
    else relay
)
if "USED_BEFORE_THE_FORK" in os.environ:
    # A portal that looks whether it all works before its workers are forked off.
    backend.open("qemu/101")
    issuer.issue("dc1", "qemu/101")


def issued():
    one = issuer.issue("dc1", "qemu/101", user="42")
    return {"url": one.url, "viewer_url": one.viewer_url, "reference": one.reference, "process": os.getpid()}


def flask():
    from flask import Flask, jsonify
    from werkzeug.middleware.dispatcher import DispatcherMiddleware

    app = Flask(__name__)
    app.add_url_rule("/click", "click", lambda: jsonify(issued()), methods=["POST"])
    app.add_url_rule("/sessions", "sessions", lambda: jsonify(relay.session_count))
    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/console": relay.wsgi})
    return app


def whole(environ, start_response):
    if environ["PATH_INFO"] in ("/click", "/sessions"):
        body = json.dumps(issued() if environ["PATH_INFO"] == "/click" else relay.session_count).encode()
        start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
        return [body]
    return relay.wsgi(environ, start_response)


if __name__ == "__main__":
    # Werkzeug's own server, on a socket that is bound already: python -m wsgi FD [--debugger]
    import sys

    from werkzeug.debug import DebuggedApplication
    from werkzeug.serving import make_server

    app = flask()
    if "--debugger" in sys.argv:
        app = DebuggedApplication(app)
    make_server("127.0.0.1", 0, app, threaded=True, fd=int(sys.argv[1])).serve_forever()
