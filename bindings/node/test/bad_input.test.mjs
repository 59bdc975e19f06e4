// Whatever is given, the answer is an error of ours with a code, and the process goes on.

import assert from "node:assert/strict";
import { once } from "node:events";
import http, { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { after, before, test } from "node:test";
import { Duplex, PassThrough } from "node:stream";
import { inspect } from "node:util";
import vm from "node:vm";
import { Console, ConsolepassError, Issuer, Pass, Proxmox, Relay, Vnc, cloudtowerVia, log } from "../index.mjs";
import { startProxmox } from "./support/emulator.mjs";
import { describedMembers } from "./support/names.mjs";
import { listen } from "./support/servers.mjs";

const STRANGE = [
  undefined, null, true, 0, -1, -0, 1.5, NaN, Infinity, -Infinity, 2 ** 53, 1e308, 5n, -(2n ** 80n), Symbol("s"), () => {},
  "", " ", "\0", "a\0b", "\ud800", "x\udfffy", "\u{10ffff}", "🙂".repeat(1000), "a".repeat(1 << 20), "../..", "%00", "\r\nX: y",
  [], [null], [[]], [undefined], new Array(3), {}, { toString: () => "qemu/101" }, Object.create(null), new Date(), new Date(NaN),
  /x/, new Map(), new Proxy({}, {}), new String("qemu/101"), Buffer.from("qemu/101"), new Error("e"), Promise.resolve("x"), globalThis,
];

/** As far as we look at an engine of proxmox-api, and at a Client of pve-client. */
const ENGINE = { doRequest() {}, getTicket() {}, schema: "https", host: "pve.test", username: "portal@pve", password: "x" };
const CLIENT = {
  url: (path) => `https://pve.test:8006/api2/json${path}`,
  sessionCookie: () => undefined,
  tokenAuthorizationHeader: () => undefined,
  opts: { username: "portal", password: "x", realm: "pve" },
  auth: {},
};

let hypervisor;
let desk;
let pve;
let relay;
let opened;
let pass;

before(async () => {
  hypervisor = await startProxmox();
  pve = new Proxmox(hypervisor.token);
  desk = new Vnc({ host: "127.0.0.1:1" });
  relay = new Relay({ backends: { pve, desk }, publicUrl: "https://portal.test" });
  opened = await pve.open("qemu/101");
  pass = await relay.issue("pve", "qemu/101");
});
after(() => hypervisor?.stop());

const isOurs = (error) => error instanceof ConsolepassError && error.code !== "internal" && error.message.length > 0;

/** Calls with each strange value: what comes is a value, or an error of ours. Returns how often it was an error. */
async function tryAll(call, values = STRANGE) {
  let refused = 0;
  for (const value of values) {
    try {
      await call(value);
    } catch (error) {
      if (!isOurs(error)) assert.fail(`${typeof value} ${String(value?.toString?.()).slice(0, 50)}: ${error?.stack ?? error}`);
      refused += 1;
    }
  }
  return refused;
}

test("options that are none, in every place for options", async () => {
  for (const make of [
    (value) => new Proxmox(value),
    (value) => new Vnc(value),
    (value) => new Relay(value),
    (value) => new Issuer(value),
    (value) => cloudtowerVia(value),
    (value) => Proxmox.fromProxmoxApi(value),
    (value) => Proxmox.fromPveClient(value),
  ]) {
    assert.equal(await tryAll(make), STRANGE.length, make.toString());
  }
});

test("every option with every strange value", async () => {
  const good = { host: "127.0.0.1:1" };
  const names = ["host", "tokenId", "tokenSecret", "username", "password", "loginTicket", "csrfToken", "fingerprint", "caFile", "insecure", "proxy", "timeout"];
  for (const name of names) await tryAll((value) => new Proxmox({ ...hypervisor.token, [name]: value }));
  for (const name of ["host", "password", "timeout"]) await tryAll((value) => new Vnc({ ...good, [name]: value }));
  const refusedHosts = await tryAll((host) => new Vnc({ host }));
  assert.ok(refusedHosts > STRANGE.length - 6, `only ${refusedHosts}`);
  for (const name of ["listen", "publicUrl", "allowedOrigins", "allowMissingOrigin", "frameAncestors", "store", "passKeyFile", "maxSessions", "shutdownGrace"]) {
    await tryAll((value) => new Relay({ backends: { desk }, publicUrl: "https://portal.test", [name]: value }));
  }
  for (const name of ["user", "ttl", "kind"]) await tryAll((value) => relay.issue("desk", "d", { [name]: value }));
  for (const name of ["version", "viewOnly", "resize", "withPassword", "foreignOrigin"]) {
    await tryAll((value) => opened.novncUrl(`https://${hypervisor.address}/novnc/vnc.html`, { [name]: value }));
  }
});

test("numbers that are none, negative and huge ones name the option and its range", () => {
  for (const ttl of [0, -1, 1.5, NaN, Infinity, 2 ** 53, 1e308, -5n, 2n ** 80n]) {
    assert.throws(
      () => new Vnc({ host: "h", timeout: ttl }),
      (error) => isOurs(error) && /^vnc: timeout: .*from 1 to 120/.test(error.message),
    );
  }
  assert.doesNotThrow(() => new Vnc({ host: "h", timeout: 7n }));
});

test("texts with a NUL or half a character are refused and not repeated", () => {
  for (const text of ["hunter2\0", "hunter2\ud800", "\udc00hunter2"]) {
    for (const options of [{ host: text }, { host: ["a", text] }, { host: "h", password: text }]) {
      assert.throws(() => new Vnc(options), (error) => isOurs(error) && !error.message.includes("hunter2"));
    }
  }
});

test("names that are no options", () => {
  for (const name of ["", "Host", "host ", "hosts", "token_id", "__proto__x", "constructor", "toString", "\0", "\ud800", "1"]) {
    assert.throws(() => new Proxmox({ ...hypervisor.token, [name]: "x" }), isOurs, name);
  }
  // A name from a prototype was not given.
  assert.doesNotThrow(() => new Vnc(Object.assign(Object.create({ hosts: "x" }), { host: "h" })));
});

test("machines, kinds, backends, pages, references and signals", async () => {
  const open = await tryAll((machine) => desk.open(machine));
  assert.ok(open > 30, `only ${open}`);
  assert.equal(await tryAll((machine) => pve.open(machine)), STRANGE.length);
  await tryAll((kind) => pve.open("qemu/101", { kind }));
  await tryAll((options) => pve.open("qemu/101", options));
  await tryAll((signal) => desk.open("d", { signal }), STRANGE.filter((value) => value !== undefined));
  assert.equal(await tryAll((backend) => relay.issue(backend, "qemu/101")), STRANGE.length);
  await tryAll((machine) => relay.issue("pve", machine));
  await tryAll((options) => relay.issue("pve", "qemu/101", options));
  assert.equal(await tryAll((reference) => relay.revoke(reference)), STRANGE.length);
  assert.equal(await tryAll((page) => pass.novncUrl(page)), STRANGE.length);
  assert.equal(await tryAll((page) => opened.novncUrl(page)), STRANGE.length);
  await tryAll((options) => relay.revoke(pass, options));
  await tryAll((level) => (log.level = level));
  assert.equal(log.level, "info");
});

test("an array is no object of options, in any call", async () => {
  for (const call of [
    () => new Proxmox([]),
    () => new Relay([]),
    () => new Issuer([]),
    () => Proxmox.fromProxmoxApi(ENGINE, []),
    () => Proxmox.fromPveClient(CLIENT, []),
    () => pve.open("qemu/101", []),
    () => relay.issue("pve", "qemu/101", []),
    () => relay.revoke(pass, []),
    () => relay.stop([]),
    () => opened.novncUrl(`https://${hypervisor.address}/novnc/vnc.html`, []),
  ]) {
    await assert.rejects(async () => call(), (error) => isOurs(error) && /: an array: must be an object$/.test(error.message), call.toString());
  }
});

test("engines and clients of other packages whose members are anything, or throw", async () => {
  // The system's authorities take a while to read, each time.
  const { fingerprint } = hypervisor;
  for (const name of ["schema", "host", "port", "username", "password", "ticket", "CSRFPreventionToken"]) {
    await tryAll((value) => Proxmox.fromProxmoxApi({ ...ENGINE, [name]: value }, { fingerprint }));
  }
  for (const name of ["url", "sessionCookie", "tokenAuthorizationHeader"]) {
    await tryAll((value) => Proxmox.fromPveClient({ ...CLIENT, [name]: () => value }, { fingerprint }));
    const failing = { ...CLIENT, [name]: () => { throw new TypeError(`Invalid ${hypervisor.token.tokenSecret}`); } };
    assert.throws(
      () => Proxmox.fromPveClient(failing),
      (error) => isOurs(error) && error.message.includes(name) && !inspect(error).includes(hypervisor.token.tokenSecret),
    );
  }
  for (const name of ["opts", "auth"]) await tryAll((value) => Proxmox.fromPveClient({ ...CLIENT, [name]: value }, { fingerprint }));
  for (const [name, own] of [["username", { fingerprint }], ["password", { fingerprint }], ["realm", { fingerprint }], ["agent", {}]]) {
    await tryAll((value) => Proxmox.fromPveClient({ ...CLIENT, opts: { ...CLIENT.opts, [name]: value } }, own));
  }
  for (const takeOver of [(own) => Proxmox.fromProxmoxApi(ENGINE, own), (own) => Proxmox.fromPveClient(CLIENT, own)]) {
    assert.ok((await tryAll(takeOver)) > 30);
    takeOver(undefined);
  }
});

test("backends that are none", async () => {
  const named = (backends) => () => new Relay({ backends, publicUrl: "https://portal.test" });
  assert.equal(await tryAll((backend) => named({ dc1: backend })()), STRANGE.length);
  const impostor = Object.create(Proxmox.prototype);
  for (const backends of [{}, { "": desk }, { "a b": desk }, { ["x".repeat(65)]: desk }, { "\ud800": desk }, { dc1: impostor }, [desk], new Map([["a", desk]])]) {
    assert.throws(named(backends), isOurs);
  }
});

test("what only we make cannot be made, and no member works on another object", async () => {
  assert.throws(() => new Console(), isOurs);
  assert.throws(() => new Pass(), isOurs);
  for (const type of [Console, Pass, Relay]) {
    for (const [name, { get, value }] of Object.entries(describedMembers(type))) {
      if (name === "toJSON") continue;
      const call = get ?? (typeof value === "function" ? value : undefined);
      const isRefusal = (error) => error instanceof TypeError || isOurs(error);
      await assert.rejects(async () => call?.call({}, "x") ?? Promise.reject(new TypeError()), isRefusal, `${type.name}.${name}`);
    }
  }
  await assert.rejects(Proxmox.prototype.open.call({}, "qemu/101"), TypeError);
});

test("upgrades and requests that are none", async () => {
  for (const value of STRANGE) {
    assert.throws(() => relay.handleUpgrade(value, new Socket(), Buffer.alloc(0)), isOurs);
    assert.throws(() => relay.handleUpgrade({ method: "GET", url: "/ws", rawHeaders: [] }, value), isOurs);
    assert.throws(() => relay.handleRequest(value, {}), isOurs);
    assert.throws(() => relay.handleRequest({ method: "GET", url: "/" }, value), isOurs);
  }
  const request = { method: "GET", url: "/ws", httpVersion: "1.1", rawHeaders: ["Host", "p"] };
  for (const bad of [{ url: "/ws\r\nX: y" }, { method: "GET / HTTP/1.1\r\nX: y\r\n\r\nGET" }, { rawHeaders: ["A", "b\r\nC: d"] }]) {
    assert.throws(() => relay.handleUpgrade({ ...request, ...bad }, new PassThrough()), isOurs);
  }
  assert.throws(() => relay.handleUpgrade(request, new PassThrough(), "head"), isOurs);
});

test("sockets that are gone, closed, never were, or are no sockets", async () => {
  const request = new IncomingMessage(new Socket());
  Object.assign(request, { method: "GET", url: "/ws" });
  request.rawHeaders.push("Host", "p");
  const destroyed = new Socket();
  destroyed.destroy();

  for (const socket of [destroyed, new Socket()]) {
    relay.handleUpgrade(request, socket, Buffer.alloc(0));
    if (!socket.destroyed) socket.destroy();
  }
  // Any stream will do: this one has the answer to a request that is no upgrade in it.
  const [fromBrowser, toBrowser] = [new PassThrough(), new PassThrough()];
  relay.handleUpgrade(request, Duplex.from({ readable: fromBrowser, writable: toBrowser }).on("error", () => {}));
  const [answer] = await once(toBrowser, "data");
  assert.match(String(answer), /^HTTP\/1\.1 426 /);
  fromBrowser.destroy();
});

test("calls after the stop, and stops after the stop", async () => {
  const stopped = new Relay({ backends: { desk }, listen: "127.0.0.1:0", publicUrl: "https://portal.test" });
  const issued = await stopped.issue("desk", "d");
  await Promise.all([stopped.stop(), stopped.stop()]);
  await stopped.stop();

  for (const call of [() => stopped.start(), () => stopped.issue("desk", "d")]) {
    await assert.rejects(call, (error) => error.code === "closed" && /stopped/.test(error.message));
  }
  // A portal that ends a customer's consoles need not know that the relay was first.
  assert.equal(await stopped.revoke("0000000000"), false);
  assert.equal(typeof (await stopped.revoke(issued)), "boolean");
  assert.deepEqual([stopped.address, stopped.sessionCount], [undefined, 0]);
  assert.ok(issued.url && opened.websocketUrl, "what was made before is still there");
  stopped.on("ended", () => {}).ref().unref();
});

test("a relay starts once, and may be tried again when the address was taken", async () => {
  const server = http.createServer();
  const address = await listen(server);
  const options = { backends: { desk }, publicUrl: "https://portal.test" };
  const late = new Relay({ ...options, listen: address });
  await assert.rejects(late.start(), (error) => error.code === "listen_failed" && error.message.includes(address));
  await new Promise((resolve) => server.close(resolve));

  assert.equal(await late.start(), address);
  await assert.rejects(late.start(), (error) => error.code === "invalid_argument");
  await late.stop();
});

test("values of another realm, as test runners have, are as good as our own", async () => {
  const make = vm.runInNewContext("(function (host) { return { host: [host], timeout: 5 }; })");

  assert.equal((await new Vnc(make("127.0.0.1:5901")).open("d")).address, "127.0.0.1:5901");
});

test("a getter that throws throws what it throws", () => {
  const reason = new Error("on purpose");

  assert.throws(() => new Vnc({ get host() { throw reason; } }), (error) => error === reason);
});
