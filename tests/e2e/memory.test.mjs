// What an idle console costs: a hosting panel holds hundreds of open tabs.

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import WebSocket from "ws";
import { start, until } from "./demo/child.mjs";
import { PROGRAM, startRelay } from "./relay_process.mjs";

const SESSIONS = 200;

/** An RFB server that lets everybody in and then says nothing. */
async function startServer() {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.write("RFB 003.008\n\x01\x01");
    let heard = 0;
    socket.on("data", (bytes) => {
      heard += bytes.length;
      if (heard === 13) socket.write(Buffer.alloc(4));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

/** A browser that has its console, in messages of one handshake step each. */
async function openSession(relay, machine) {
  const socket = new WebSocket(relay.websocketUrl(machine), "binary", { origin: relay.publicUrl });
  let heard = 0;
  const answers = [
    [12, Buffer.from("RFB 003.008\n")],
    [14, Buffer.from([1])],
    [18, Buffer.from([1])],
  ];
  await new Promise((resolve, reject) => {
    socket.on("error", reject);
    socket.on("close", (code, reason) => reject(new Error(`closed: ${code} ${reason}`)));
    socket.on("message", (bytes) => {
      heard += bytes.length;
      while (answers.length > 0 && heard >= answers[0][0]) socket.send(answers.shift()[1]);
      if (answers.length === 0) resolve();
    });
  });
  return socket;
}

/** The memory of a process that is its own, in bytes. */
async function ownMemory(pid) {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, "utf8");
  const kib = (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(rollup)[1]);
  return (kib("Private_Clean") + kib("Private_Dirty")) * 1024;
}

/** What each of many idle consoles costs a relay with this backend. */
async function costOfEach(backend, machine, env = {}) {
  const folder = await mkdtemp(join(tmpdir(), "consolepass-memory-"));
  const relay = await startRelay(folder, { backend, env, relay: "max_handshakes = 500" });
  const sockets = [];
  try {
    // The first ones make the process grow to its working size.
    for (let count = 0; count < 50; count++) sockets.push(await openSession(relay, machine));
    const before = await ownMemory(relay.pid);
    for (let count = 0; count < SESSIONS; count++) sockets.push(await openSession(relay, machine));
    return ((await ownMemory(relay.pid)) - before) / SESSIONS;
  } finally {
    for (const socket of sockets) socket.terminate();
    await relay.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

const kib = (bytes) => `${(bytes / 1024).toFixed(1)} KiB`;

test("an idle console costs less than 10 KiB without TLS", { timeout: 120_000 }, async (context) => {
  const server = await startServer();
  try {
    const each = await costOfEach(`type = "vnc"\nhost = "127.0.0.1:${server.address().port}"`, "desk-1");

    context.diagnostic(`${kib(each)} for each of ${SESSIONS} idle consoles`);
    assert.ok(each < 10 * 1024, kib(each));
  } finally {
    server.close();
  }
});

test("an idle console costs less than 24 KiB with TLS to the hypervisor", { timeout: 120_000 }, async (context) => {
  const secret = "6d6f6f6e-6c69-6768-742d-736f6e617461";
  let double;
  const args = ["emulate", "proxmox", "--json", "--token", "portal@pve!console", "--guest", "qemu/101=screen", "--banner-delay", "0.01"];
  const emulator = start(PROGRAM, args, {
    env: { CONSOLEPASS_EMULATE_TOKEN_SECRET: secret },
    onLine: (line) => (double ??= JSON.parse(line)),
  });
  try {
    await until("the emulated hypervisor", () => double);
    const account = `token_id = "portal@pve!console"\ntoken_secret_env = "TOKEN_SECRET"`;
    const backend = `type = "proxmox"\nhost = "${double.address}"\nfingerprint = "${double.fingerprint}"\n${account}`;
    const each = await costOfEach(backend, "pve1/qemu/101", { TOKEN_SECRET: secret });

    context.diagnostic(`${kib(each)} for each of ${SESSIONS} idle consoles`);
    assert.ok(each < 24 * 1024, kib(each));
  } finally {
    await emulator.stop();
  }
});
