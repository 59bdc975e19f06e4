// What the library tells of its own accord: events of a relay, and log lines.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Relay, Vnc, log } from "../index.mjs";
import { Browser, refusal } from "./support/browser.mjs";
import { run } from "./support/program.mjs";
import { startEcho } from "./support/servers.mjs";

let desk;
before(async () => (desk = await startEcho()));
after(() => desk?.stop());

async function startRelay() {
  const relay = new Relay({
    backends: { desk: new Vnc({ host: desk.address }) },
    listen: "127.0.0.1:0",
    publicUrl: "http://portal.test",
    allowMissingOrigin: true,
  });
  const address = await relay.start();
  return { relay, url: (pass) => `ws://${address}/ws${new URL(pass.url).search}`, address };
}

test("a console's life is told in its order, and all of it before stop is done", async () => {
  const { relay, url } = await startRelay();
  const told = [];
  for (const name of ["taken", "connected", "ended"]) relay.on(name, (event) => told.push(event));
  const pass = await relay.issue("desk", "desk-1", { user: "42" });
  const browser = new Browser(url(pass), { origin: "http://portal.test" });
  browser.socket.on("message", (data) => {
    if (data.length === 12) browser.write("RFB 003.008\n");
    if (data.length === 2) browser.write([1]);
  });
  await once(relay, "connected");

  await relay.stop();

  const { reference } = pass;
  const common = { reference, backend: "desk", machine: "desk-1", user: "42" };
  const times = told.map(({ at }) => at);
  assert.deepEqual(
    told.map(({ at, ...rest }) => rest),
    [
      { type: "taken", ...common },
      { type: "connected", ...common },
      { type: "ended", ...common, code: "shutting_down", message: "ended by the portal" },
    ],
  );
  assert.ok(times.every((at) => at instanceof Date && Math.abs(at - Date.now()) < 10_000));
  assert.deepEqual(times, times.toSorted?.() ?? times);
});

test("who is refused without a pass that is known has no name", async () => {
  const { relay, address } = await startRelay();
  const ended = once(relay, "ended");

  await refusal(`ws://${address}/ws?pass=nonsense`, { origin: "http://portal.test" });

  const [{ at, message, ...rest }] = await ended;
  assert.deepEqual(rest, { type: "ended", code: "pass_invalid" });
  assert.ok(at && message);
  await relay.stop();
});

test("a revoked console ends, and a revoked pass opens nothing", async () => {
  const { relay, url } = await startRelay();
  const [open, unused] = [await relay.issue("desk", "desk-1"), await relay.issue("desk", "desk-1")];
  const browser = new Browser(url(open), { protocols: ["consolepass.1"], origin: "http://portal.test" });
  await once(relay, "taken");

  assert.equal(await relay.revoke(open), true);
  assert.equal(await relay.revoke(unused.reference), true);
  assert.equal((await browser.closed).code, 4023);
  assert.equal((await refusal(url(unused), { origin: "http://portal.test" })).told, "revoked");
  assert.equal(await relay.revoke("0123456789"), false);
  await relay.stop();
});

test("a program that is busy loses the oldest events, and hears how many", async () => {
  const { relay, address } = await startRelay();
  let [heard, lost] = [0, 0];
  relay.on("ended", () => (heard += 1)).on("lost", ({ count }) => (lost += count));
  const knock = `
    import { connect } from "node:net";
    const request = "GET /ws?pass=x HTTP/1.1\\r\\nHost: p\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\n" +
      "Sec-WebSocket-Version: 13\\r\\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\\r\\nSec-WebSocket-Protocol: consolepass.1\\r\\n\\r\\n";
    const knockOnce = () => new Promise((resolve) =>
      connect(${JSON.stringify(address)}.split(":")[1], "127.0.0.1").on("error", resolve).on("close", resolve).resume().write(request));
    const many = async () => { for (let knock = 0; knock < 100; knock += 1) await knockOnce(); };
    await Promise.all(Array.from({ length: 20 }, many));`;

  // This thread can do nothing meanwhile.
  execFileSync(process.execPath, ["--input-type=module", "--eval", knock]);
  while (heard + lost < 2000) await sleep(5);

  assert.ok(lost > 0 && heard >= 1024, `${heard} heard, ${lost} lost`);
  assert.equal(heard + lost, 2000);
  await relay.stop();
});

test("log lines come with their level, fields and time", async () => {
  const { relay } = await startRelay();
  const lines = [];
  const keep = (line) => lines.push(line);
  log.on("log", keep);
  const { reference } = await relay.issue("desk", "desk-1", { user: "42" });
  await relay.stop();
  while (!lines.some(({ message }) => message === "pass issued")) await sleep(1);
  log.off("log", keep);

  const { at, ...line } = lines.find(({ message }) => message === "pass issued");
  assert.deepEqual(line, {
    level: "info",
    target: "consolepass::relay::issuer",
    message: "pass issued",
    fields: { reference, backend: "desk", machine: "desk-1", user: "42" },
  });
  assert.ok(Math.abs(at - Date.now()) < 10_000);
});

test("only lines up to the level are told", async () => {
  const { relay } = await startRelay();
  const lines = [];
  const keep = (line) => lines.push(line);
  log.level = "warn";
  log.on("log", keep);
  await relay.issue("desk", "desk-1");
  log.level = "info";
  const { reference } = await relay.issue("desk", "desk-1");
  while (!lines.some(({ fields }) => fields.reference === reference)) await sleep(1);
  log.off("log", keep);

  assert.deepEqual(lines.filter(({ message }) => message === "pass issued").length, 1);
  await relay.stop();
});

test("while nobody listens, warnings are shown as Node shows its own", async () => {
  const source = (before) => `
    import { Proxmox, log } from "./index.mjs";
    ${before}
    new Proxmox({ host: "h", tokenId: "a@pve!b", tokenSecret: "c", insecure: true });
    await new Promise((resolve) => setTimeout(resolve, 100));`;

  const shown = await run(source(""));
  const heard = await run(source(`log.on("log", ({ level, fields }) => console.log(level, fields.host));`));

  assert.match(shown.err, /ConsolepassWarning: proxmox: insecure is set: .* host=h/);
  assert.deepEqual([heard.err, heard.out], ["", "warn h"]);
});

test("the package has no threads of its own until there is something for them", { skip: process.platform !== "linux" }, async () => {
  const { out, err } = await run(
    `import { readdirSync, readFileSync } from "node:fs";
     import { createRequire } from "node:module";
     const threads = () => readdirSync("/proc/self/task");
     const ours = () => threads().filter((id) => readFileSync("/proc/self/task/" + id + "/comm", "utf8").startsWith("consolepass"));
     const before = threads().length;
     const { Proxmox, log } = createRequire(process.cwd() + "/package.json")("./index.cjs");
     log.on("log", () => {});
     log.level = "debug";
     console.log(threads().length - before, ours().length);
     new Proxmox({ host: "h", tokenId: "a@pve!b", tokenSecret: "c", insecure: true });
     // A thread has its name a moment after it has begun.
     while (ours().length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
     console.log("now");`,
  );

  assert.deepEqual([err, out.split("\n")], ["", ["0 0", "now"]]);
});
