// Serves the built viewer as the relay does, with its headers, and lets a test play the relay's side of the websocket.

import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { WebSocketServer } from "ws";
import { RfbScreen } from "./rfb_screen.mjs";

const DIST = new URL("../../viewer/dist/", import.meta.url);
const FILES = {
  "": ["index.html", "text/html; charset=utf-8"],
  "viewer.js": ["viewer.js", "text/javascript; charset=utf-8"],
  "viewer.css": ["viewer.css", "text/css; charset=utf-8"],
};

/**
 * Starts on a free loopback port.
 * @param {{ prefix?: string, refuse?: boolean, onSession?: (session: Session) => void }} options
 *   `prefix` begins and ends with "/"; `refuse` answers every upgrade with 403.
 */
export async function startFakeRelay({ prefix = "/console/", refuse = false, onSession = () => {} } = {}) {
  const sessions = [];
  const requests = [];
  const sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => (offered.has("consolepass.1") ? "consolepass.1" : false),
  });
  const server = createServer(async (request, response) => {
    requests.push(request.url);
    const file = FILES[request.url.replace(/[?].*/, "").replace(prefix, "")];
    if (!request.url.startsWith(prefix) || file === undefined) {
      response.writeHead(404).end();
      return;
    }
    const [name, type] = file;
    response.writeHead(200, { "Content-Type": type, ...headers(request.headers.host) });
    response.end(await readFile(new URL(name, DIST)));
  });
  server.on("upgrade", (request, socket, head) => {
    requests.push(request.url);
    if (refuse || request.url !== `${prefix}ws`) {
      socket.end("HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
      return;
    }
    sockets.handleUpgrade(request, socket, head, (websocket) => {
      const session = new Session(websocket, request);
      sessions.push(session);
      server.emit("session");
      onSession(session);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin = `http://127.0.0.1:${server.address().port}`;
  return {
    origin,
    requests,
    pageUrl: `${origin}${prefix}`,
    viewerUrl: (pass) => `${origin}${prefix}#pass=${pass}`,
    /** The session with this number, counted from 0, as soon as there is one. */
    async session(number = 0) {
      while (sessions.length <= number) await once(server, "session", { signal: AbortSignal.timeout(10_000) });
      return sessions[number];
    },
    async close() {
      for (const { websocket } of sessions) websocket.terminate();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

/** One websocket from a viewer. */
class Session {
  /** @type {string[]} Text frames from the page. */
  control = [];
  /** What the page offered as sub-protocols. */
  offered;
  websocket;
  screen;

  constructor(websocket, request) {
    this.websocket = websocket;
    this.offered = request.headers["sec-websocket-protocol"].split(",").map((protocol) => protocol.trim());
    this.screen = new RfbScreen((bytes) => websocket.send(bytes));
    websocket.on("message", (data, isBinary) => {
      if (isBinary) this.screen.receive(data);
      else this.control.push(data.toString());
      this.screen.emit("changed");
    });
  }

  step(step, reference = "k3j9x2") {
    this.websocket.send(JSON.stringify({ type: "step", step, reference }));
  }

  warn(code, seconds) {
    this.websocket.send(JSON.stringify({ type: "warning", code, seconds }));
  }

  /** The relay's own way to end: the words, and then the close. */
  end(number, code, sentence, reference = "k3j9x2") {
    this.websocket.send(JSON.stringify({ type: "end", code, sentence, reference }));
    this.websocket.close(4000 + number, code);
  }

  /** All the steps, and then the picture. */
  connect() {
    for (const step of ["ticket", "connect", "log_in", "ready"]) this.step(step);
    this.screen.start();
  }
}

// What the relay sends with every file of the viewer.
function headers(host) {
  return {
    "Content-Security-Policy": [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "img-src 'self' data:",
      `connect-src 'self' ws://${host}`,
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join("; "),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
  };
}
