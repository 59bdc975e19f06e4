// A portal that keeps its one port: the relay is handed the upgrades and the requests of its path.

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import http from "node:http";
import https from "node:https";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as connectSecurely } from "node:tls";
import express from "express";
import fastify from "fastify";
import { start } from "../../../tests/e2e/demo/child.mjs";
import { Proxmox, Relay, log } from "../index.mjs";
import { Browser, refusal } from "./support/browser.mjs";
import { certificate } from "./support/certificate.mjs";
import { PROGRAM, startProxmox } from "./support/emulator.mjs";
import { listen } from "./support/servers.mjs";

let hypervisor;
let backends;
/** What each test has begun, to be ended in the reverse order. */
const ends = [];

before(async () => {
  hypervisor = await startProxmox();
  backends = { dc1: new Proxmox(hypervisor.token) };
});
after(() => hypervisor?.stop());
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** The port and the host of an address. */
const place = (address) => address.split(":").reverse();

function relayAt(publicUrl, options = {}) {
  const relay = new Relay({ backends, publicUrl, ...options });
  ends.push(() => relay.stop());
  return relay;
}

function end(server) {
  ends.push(() => new Promise((resolve) => server.close(resolve).closeAllConnections()));
}

async function seesAPicture(url, options) {
  const browser = new Browser(url, options);
  const screen = await browser.logIn();
  assert.equal(screen.name, "consolepass demo screen");
  const picture = await browser.picture(screen);
  assert.equal(picture.length, screen.width * screen.height * screen.bytesPerPixel);
  assert.ok(new Set(new Uint32Array(picture.buffer.slice(picture.byteOffset))).size > 1, "it is all of one colour");
  return browser;
}

async function servesTheViewer(url, options) {
  const page = await fetch(url, options);
  assert.equal(page.status, 200);
  assert.match(await page.text(), /viewer\.js/);
  assert.match(page.headers.get("content-security-policy"), /frame-ancestors 'none'/);
  const script = await fetch(new URL("viewer.js", page.url), options);
  assert.match(script.headers.get("content-type"), /^text\/javascript/);
  const upgrade = await fetch(new URL("ws", page.url), options);
  assert.equal(upgrade.status, 426);
}

test("node:http hands the connection over, and has it no longer", async () => {
  const server = http.createServer((req, res) => relay.handleRequest(req, res));
  server.on("upgrade", (req, socket, head) => relay.handleUpgrade(req, socket, head));
  const url = `http://${await listen(server)}/console`;
  end(server);
  const relay = relayAt(url);
  const pass = await relay.issue("dc1", "qemu/101");

  const browser = await seesAPicture(pass.url);

  assert.equal(await new Promise((resolve) => server.getConnections((_, count) => resolve(count))), 0);
  assert.equal(relay.sessionCount, 1);
  assert.deepEqual(await refusal(pass.url), { code: 4019, reason: "pass_used", told: "pass_used" });
  await servesTheViewer(pass.viewerUrl);
  const bare = await fetch(url, { redirect: "manual" });
  assert.deepEqual([bare.status, bare.headers.get("location")], [308, `${url}/`]);
  assert.equal((await fetch(`${url}/`, { method: "HEAD" })).headers.get("content-type"), "text/html; charset=utf-8");
  assert.equal((await fetch(`${url}/`, { method: "POST" })).status, 405);
  await relay.stop();
  assert.deepEqual(await browser.closed, { code: 4026, reason: "shutting_down" });
});

test("node:https keeps the connection, and its bytes are carried", async () => {
  const { key, cert } = certificate();
  const server = https.createServer({ key, cert }, (req, res) => relay.handleRequest(req, res));
  server.on("upgrade", (req, socket, head) => relay.handleUpgrade(req, socket, head));
  const url = `https://${await listen(server)}/console`;
  end(server);
  const relay = relayAt(url);
  const pass = await relay.issue("dc1", "qemu/101");

  const browser = await seesAPicture(pass.url, { ca: cert });

  assert.equal(await new Promise((resolve) => server.getConnections((_, count) => resolve(count))), 1);
  assert.equal((await refusal(pass.url, { ca: cert })).told, "pass_used");
  await relay.stop();
  assert.deepEqual(await browser.closed, { code: 4026, reason: "shutting_down" });
});

test("a TLS browser that goes away ends its console", async () => {
  const { key, cert } = certificate();
  const server = https.createServer({ key, cert });
  server.on("upgrade", (req, socket, head) => relay.handleUpgrade(req, socket, head));
  const url = `https://${await listen(server)}`;
  end(server);
  const relay = relayAt(url);
  const browser = await seesAPicture((await relay.issue("dc1", "qemu/101")).url, { ca: cert });
  const ended = once(relay, "ended");

  browser.end();

  assert.equal((await ended)[0].code, "closed");
  while ((await new Promise((resolve) => server.getConnections((_, count) => resolve(count)))) > 0) await sleep(5);
});

test("Express takes the mount's path off, and the relay does not mind", async () => {
  const app = express();
  const server = http.createServer(app);
  server.on("upgrade", (req, socket, head) => relay.handleUpgrade(req, socket, head));
  const url = `http://${await listen(server)}/vm/console`;
  end(server);
  const relay = relayAt(url);
  app.use("/vm/console", (req, res) => relay.handleRequest(req, res));
  const pass = await relay.issue("dc1", "qemu/101");

  await seesAPicture(pass.url);
  await servesTheViewer(pass.viewerUrl);
  const bare = await fetch(url, { redirect: "manual" });
  assert.deepEqual([bare.status, bare.headers.get("location")], [308, `${url}/`]);
});

test("Fastify gives its raw request and answer", async () => {
  const app = fastify();
  app.all("/console/*", (request, reply) => {
    reply.hijack();
    relay.handleRequest(request.raw, reply.raw);
  });
  app.server.on("upgrade", (req, socket, head) => relay.handleUpgrade(req, socket, head));
  const url = `${await app.listen({ host: "127.0.0.1", port: 0 })}/console`;
  ends.push(() => app.close());
  const relay = relayAt(url);
  const pass = await relay.issue("dc1", "qemu/101");

  await seesAPicture(pass.url);
  await servesTheViewer(pass.viewerUrl);
});

test("a reverse proxy may take the public path off, or have another one inside", async () => {
  for (const inside of ["", "/internal/vnc"]) {
    const server = http.createServer((req, res) => relay.handleRequest(req, res));
    server.on("upgrade", (req, socket, head) => relay.handleUpgrade(req, socket, head));
    const address = await listen(server);
    end(server);
    const relay = relayAt("https://portal.test/console");
    const pass = await relay.issue("dc1", "qemu/101");
    const query = new URL(pass.url).search;

    await seesAPicture(`ws://${address}${inside}/ws${query}`, { origin: "https://portal.test" });
    await servesTheViewer(`http://${address}${inside}/`);
  }
});

test("a server on a Unix socket hands over as well", async () => {
  const folder = await mkdtemp(join(tmpdir(), "consolepass-node-"));
  ends.push(() => rm(folder, { recursive: true }));
  const server = http.createServer();
  server.on("upgrade", (req, socket, head) => relay.handleUpgrade(req, socket, head));
  const path = join(folder, "portal");
  server.listen(path);
  await once(server, "listening");
  end(server);
  const relay = relayAt("http://portal.test");
  const pass = await relay.issue("dc1", "qemu/101");

  const browser = await seesAPicture(`ws+unix:${path}:/ws${new URL(pass.url).search}`, { origin: "http://portal.test" });

  assert.equal(await new Promise((resolve) => server.getConnections((_, count) => resolve(count))), 0);
  browser.end();
});

test("a pass may come as a sub-protocol, and only from a page that may", async () => {
  const server = http.createServer();
  server.on("upgrade", (req, socket, head) => relay.handleUpgrade(req, socket, head));
  const address = await listen(server);
  end(server);
  const relay = relayAt(`http://${address}`);
  const pass = await relay.issue("dc1", "qemu/101");
  const offer = { protocols: ["consolepass.1", pass.subProtocol] };

  const elsewhere = await refusal(`ws://${address}/ws`, { ...offer, origin: "https://evil.example" });
  const here = new Browser(`ws://${address}/ws`, offer);

  assert.equal(elsewhere.told, "origin_refused");
  await here.logIn();
  assert.equal(here.socket.protocol, "consolepass.1");
  here.end();
});

test("an upgrade to nothing, and one without a pass, hear why", async () => {
  const server = http.createServer();
  server.on("upgrade", (req, socket, head) => relay.handleUpgrade(req, socket, head));
  const address = await listen(server);
  end(server);
  const relay = relayAt(`http://${address}`);

  const lost = new Browser(`ws://${address}/nothing`);

  assert.match((await lost.failed).message, /404/);
  assert.equal((await refusal(`ws://${address}/ws`)).told, "pass_invalid");
});

test("a relay that cannot serve at all answers 503, and says why in the log", async () => {
  const folder = await mkdtemp(join(tmpdir(), "consolepass-node-"));
  ends.push(() => rm(folder, { recursive: true }));
  const passKeyFile = join(folder, "pass.jwk");
  await start(PROGRAM, ["pass", "--new-key", passKeyFile]).ended;
  const { key, cert } = certificate();
  for (const [server, scheme] of [[http.createServer(), "ws"], [https.createServer({ key, cert }), "wss"]]) {
    server.on("upgrade", (req, socket, head) => relay.handleUpgrade(req, socket, head));
    const address = await listen(server);
    end(server);
    // Signed passes need a folder for the used ones, for there may be other processes.
    const relay = relayAt("http://portal.test", { passKeyFile });
    const line = once(log, "log");

    const answer = await (async () => {
      const connection = scheme === "ws" ? connect(...place(address)) : connectSecurely(...place(address), { ca: cert });
      connection.write("GET /ws HTTP/1.1\r\nHost: p\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
      let heard = "";
      for await (const chunk of connection) heard += chunk;
      return heard;
    })();

    assert.match(answer, /^HTTP\/1\.1 503 [^]*\r\n\r\nan option or argument is not valid\n$/);
    assert.equal(answer.split("HTTP/1.1").length, 2, "answered once");
    const [{ level, message, fields }] = await line;
    assert.deepEqual([level, fields.code], ["error", "invalid_argument"]);
    assert.match(message, /not served: relay: option "marksDir" is missing/);
    assert.match(fields.hint, /^give marksDir a folder/);
  }
});

test("a browser that comes after the stop hears that the relay is shutting down", async () => {
  const server = http.createServer();
  server.on("upgrade", (req, socket, head) => relay.handleUpgrade(req, socket, head));
  const address = await listen(server);
  end(server);
  const relay = relayAt(`http://${address}`);
  const pass = await relay.issue("dc1", "qemu/101");
  await relay.stop();

  assert.equal((await refusal(pass.url)).told, "shutting_down");
});
