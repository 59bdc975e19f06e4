// As much of a hypervisor as these links need: it hands out the tickets of a list, serves Debian's noVNC from the same
// origin, keeps for each websocket the request line as it came and the answer to the password's challenge, and then shows
// a tiny screen.

import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:https";
import { extname, join, normalize } from "node:path";
import { WebSocketServer } from "ws";
import { RfbScreen, rectangle } from "../rfb_screen.mjs";
import { vncResponse } from "./des.mjs";

const NOVNC = process.env.CONSOLEPASS_NOVNC ?? "/usr/share/novnc";
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".json": "application/json", ".svg": "image/svg+xml" };

export class Hypervisor {
  /**
   * Of every websocket its request line and origin; as soon as the page has answered the challenge, `isRight(password)`, its
   * screen, and `echo()`, which waits until the page has answered all that it was sent.
   * @type {{ line: string, origin?: string, isRight?: (password: string) => boolean, screen?: RfbScreen, echo?: () => Promise<void> }[]}
   */
  sessions = [];
  #server;
  #websockets = new WebSocketServer({ noServer: true });
  #tickets;
  #waiting = [];

  /**
   * @param {{ key: string, certificate: string }} identity
   * @param {{ ticket: string, password: string }[]} tickets in the order in which they are handed out
   */
  static async start(identity, tickets) {
    const hypervisor = new Hypervisor();
    hypervisor.#tickets = tickets;
    hypervisor.#server = createServer({ key: identity.key, cert: identity.certificate }, (request, response) =>
      hypervisor.#answer(request, response).catch((error) => response.destroy(error)),
    );
    hypervisor.#server.on("upgrade", (request, socket, head) => hypervisor.#upgrade(request, socket, head));
    await once(hypervisor.#server.listen(0, "127.0.0.1"), "listening");
    return hypervisor;
  }

  get authority() {
    return `127.0.0.1:${this.#server.address().port}`;
  }

  /** The next session in which the page answers the challenge. */
  session() {
    return new Promise((resolve, reject) => {
      const tooLate = setTimeout(() => reject(new Error("no page has answered the challenge")), 10_000);
      this.#waiting.push((session) => {
        clearTimeout(tooLate);
        resolve(session);
      });
    });
  }

  async close() {
    for (const client of this.#websockets.clients) client.terminate();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #answer(request, response) {
    if (request.method === "POST" && request.url.endsWith("/vncproxy")) {
      const next = this.#tickets.shift();
      const body = { ...next, port: "5900", user: "portal@pve!console", upid: "UPID:pve1:0:0:0:vncproxy:101:portal@pve!console:" };
      response.setHeader("content-type", "application/json;charset=UTF-8").end(JSON.stringify({ data: body }));
      return;
    }
    const file = normalize(new URL(request.url, "https://h").pathname).replace(/^\/novnc\//, "");
    const content = await readFile(join(NOVNC, file)).catch(() => undefined);
    response.statusCode = content ? 200 : 404;
    response.setHeader("content-type", TYPES[extname(file)] ?? "application/octet-stream").end(content);
  }

  #upgrade(request, socket, head) {
    // Before the `ws` package has looked at it: the request line is what the hypervisor would read.
    const session = { line: `${request.method} ${request.url}`, origin: request.headers.origin };
    this.sessions.push(session);
    this.#websockets.handleUpgrade(request, socket, head, (websocket) => this.#askForPassword(websocket, session));
  }

  // RFB 3.8 with VNC authentication. Any answer is taken: whether it was the right one is the test's to say.
  #askForPassword(websocket, session) {
    const challenge = randomBytes(16);
    let unread = Buffer.alloc(0);
    const steps = [
      [12, () => websocket.send(Buffer.from([1, 2]))],
      [1, () => websocket.send(challenge)],
      [16, (answer) => {
        session.isRight = (password) => vncResponse(password, challenge).equals(answer);
        session.screen = showScreen(websocket);
        session.echo = () => echo(websocket, session.screen);
        this.#waiting.shift()?.(session);
      }],
    ];
    websocket.on("message", (data) => {
      if (session.screen) return session.screen.receive(data);
      unread = Buffer.concat([unread, data]);
      while (steps.length > 0 && unread.length >= steps[0][0]) {
        const [length, take] = steps.shift();
        const piece = unread.subarray(0, length);
        unread = unread.subarray(length);
        take(piece);
      }
    });
    websocket.send(Buffer.from("RFB 003.008\n"));
  }
}

// A screen begins with a handshake without a password, of which the page sees the end alone: that all is well.
function showScreen(websocket) {
  let spared = 2;
  const screen = new RfbScreen((bytes) => (spared-- > 0 ? undefined : websocket.send(bytes)));
  screen.start();
  screen.receive(Buffer.from("RFB 003.008\n"));
  screen.receive(Buffer.from([1]));
  return screen;
}

// A page asks for the next picture after each it got, behind whatever it sent before.
async function echo(websocket, screen) {
  const answered = once(screen, "changed", { signal: AbortSignal.timeout(10_000) });
  websocket.send(rectangle({ width: 1, height: 1, encoding: 0 }, Buffer.alloc(4)));
  await answered;
}
