// A portal that waits for something before it hands an upgrade over. Node takes its own listener for `error` off the socket at
// `upgrade`, and an error that nobody listens to ends the process: until the call it is the portal's to listen, and then ours.

import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import https from "node:https";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as connectSecurely } from "node:tls";
import { Relay, Vnc } from "../index.mjs";
import { certificate } from "./support/certificate.mjs";
import { run } from "./support/program.mjs";
import { listen, startEcho } from "./support/servers.mjs";

const { key, cert } = certificate();
const WAYS = {
  "a plain socket": { create: () => http.createServer(), secure: (socket) => socket },
  "one inside TLS": {
    create: () => https.createServer({ key, cert }),
    secure: (socket) => connectSecurely({ socket, ca: cert, host: "127.0.0.1" }),
  },
};
const REQUEST = [
  ...["GET /ws?pass=nonsense HTTP/1.1", "Host: portal.test", "Origin: http://portal.test", "Connection: Upgrade"],
  ...["Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "\r\n"],
].join("\r\n");

let echo;
before(async () => (echo = await startEcho()));
after(() => echo?.stop());

const closed = (socket) => new Promise((resolve) => (socket.closed ? resolve() : socket.once("close", resolve)));

/** An upgrade that a portal was given, in `body`'s hands; afterwards nothing of it may be left. */
async function withUpgrade({ create, secure }, body) {
  const server = create();
  const relay = new Relay({ backends: { desk: new Vnc({ host: echo.address }) }, publicUrl: "http://portal.test" });
  const ended = [];
  relay.on("ended", (event) => ended.push(event.code));
  const [host, port] = (await listen(server)).split(":");
  const browser = connect(Number(port), host).on("error", () => {});
  try {
    const upgraded = new Promise((resolve) => server.once("upgrade", (...args) => resolve(body({ relay, browser }, ...args))));
    secure(browser).on("error", () => {}).write(REQUEST);
    await upgraded;
    // Whatever was still to be emitted, was.
    await new Promise(setImmediate);
    browser.destroy();
    while (relay.sessionCount > 0) await sleep(5);
  } finally {
    browser.destroy();
    await relay.stop();
    await new Promise((resolve) => server.close(resolve).closeAllConnections());
  }
  return ended;
}

for (const [name, way] of Object.entries(WAYS)) {
  test(`${name} that was reset while the portal waited is handed over without a word, and nothing is left of it`, async () => {
    const ended = await withUpgrade(way, async ({ relay, browser }, req, socket, head) => {
      socket.on("error", () => {});
      browser.resetAndDestroy();
      await closed(socket);

      relay.handleUpgrade(req, socket, head);

      assert.ok(socket.destroyed);
      const connections = await new Promise((resolve) => req.socket.server.getConnections((_, count) => resolve(count)));
      assert.equal(connections, 0);
    });

    assert.deepEqual(ended, [], "there was no console");
  });

  test(`an error of ${name} that is on its way at the call ends no process`, async () => {
    await withUpgrade(way, async ({ relay }, req, socket, head) => {
      socket.destroy(new Error("read ECONNRESET"));

      relay.handleUpgrade(req, socket, head);

      await closed(socket);
    });
  });

  test(`an error of ${name} after the call ends no process`, async () => {
    await withUpgrade(way, async ({ relay, browser }, req, socket, head) => {
      relay.handleUpgrade(req, socket, head);

      browser.resetAndDestroy();
      await closed(socket);
      socket.emit("error", new Error("read ECONNRESET"));
    });
  });
}

test("a portal's own listeners on a socket inside TLS are not too many together with ours", async () => {
  const warnings = [];
  const warn = (warning) => warnings.push(warning.name);
  process.on("warning", warn);
  try {
    await withUpgrade(WAYS["one inside TLS"], async ({ relay }, req, socket, head) => {
      for (let listener = 0; listener < 5; listener += 1) socket.on("close", () => {}).on("error", () => {}).on("end", () => {});

      relay.handleUpgrade(req, socket, head);
    });
    // Warnings are told a turn later.
    await new Promise(setImmediate);
  } finally {
    process.off("warning", warn);
  }

  assert.deepEqual(warnings, []);
});

test("a portal that listens for errors while it waits outlives a reset, and one that does not is ended by Node", async () => {
  const portal = (listener) => `
    import { createServer } from "node:http";
    import { connect } from "node:net";
    import { Relay, Vnc } from "./index.mjs";
    const relay = new Relay({ backends: { desk: new Vnc({ host: "127.0.0.1:1" }) }, publicUrl: "http://portal.test" });
    const server = createServer().listen(0, "127.0.0.1", () => {
      const browser = connect(server.address().port, "127.0.0.1");
      browser.write(${JSON.stringify(REQUEST)});
      server.once("upgrade", async (req, socket, head) => {
        ${listener}
        browser.resetAndDestroy();
        await new Promise((resolve) => socket.once("close", resolve));
        relay.handleUpgrade(req, socket, head);
        console.log("it lives");
        server.close();
      });
    });`;

  const [listening, deaf] = await Promise.all([run(portal(`socket.on("error", () => {});`)), run(portal(""))]);

  assert.deepEqual([listening.ended, listening.out, listening.err], [0, "it lives", ""]);
  // Should Node keep its own listener one day, the README need not speak of it any more.
  assert.deepEqual([deaf.ended, deaf.out], [1, ""]);
  assert.match(deaf.err, /read ECONNRESET/);
});
