// The emulator as `ws` sees it, the websocket client of Node portals.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { request } from "node:https";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

const { WebSocket } = createRequire(new URL("../e2e/package.json", import.meta.url))("ws");

const PROGRAM = process.env.CONSOLEPASS_PROGRAM ?? fileURLToPath(new URL("../../target/debug/consolepass", import.meta.url));
const TOKEN_ID = "portal@pve!console";
const TOKEN_SECRET = "f3b0c1de-0d52-4a43-9a1e-6a55a1f4a001";
const TOKEN = { Authorization: `PVEAPIToken=${TOKEN_ID}=${TOKEN_SECRET}` };
const GUEST = "/api2/json/nodes/pve1/qemu/101";

let folder;
let emulator;
let address;
let ca;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "consolepass-ws-"));
  const caFile = join(folder, "ca.pem");
  const settings = ["--guest", "qemu/101=screen", "--token", TOKEN_ID, "--unauthorized-delay", "0.2", "--banner-delay", "0.05"];
  emulator = spawn(PROGRAM, ["emulate", "proxmox", "--json", "--ca-file", caFile, ...settings], {
    env: { ...process.env, CONSOLEPASS_EMULATE_TOKEN_SECRET: TOKEN_SECRET },
    stdio: ["ignore", "pipe", "inherit"],
  });
  for await (const line of createInterface({ input: emulator.stdout })) {
    address = JSON.parse(line).address;
    ca = await readFile(caFile);
    return;
  }
  throw new Error("the emulator ended before it was ready");
});

after(async () => {
  if (emulator.exitCode === null && emulator.kill("SIGTERM")) await once(emulator, "exit");
  await rm(folder, { recursive: true, force: true });
});

async function ticket() {
  const call = request(`https://${address}${GUEST}/vncproxy`, {
    method: "POST",
    ca,
    // No chunked body: the server refuses one.
    headers: { ...TOKEN, "Content-Type": "application/x-www-form-urlencoded", "Content-Length": "11" },
  });
  call.end("websocket=1");
  const [answer] = await once(call, "response");
  assert.equal(answer.statusCode, 200, answer.statusMessage);
  const parts = [];
  for await (const part of answer) parts.push(part);
  return JSON.parse(Buffer.concat(parts)).data;
}

/** A websocket to the guest, its first message, and its failure, whichever comes. */
async function open(protocols, headers) {
  const { port, ticket: secret } = await ticket();
  const socket = new WebSocket(
    `wss://${address}${GUEST}/vncwebsocket?port=${port}&vncticket=${encodeURIComponent(secret)}`,
    protocols,
    { ca, headers },
  );
  // Listened for before anything can arrive.
  const first = once(socket, "message").then(([data]) => data.toString("latin1"));
  first.catch(() => {});
  return { socket, first };
}

test("an API token and the binary sub-protocol get the banner", async () => {
  const { socket, first } = await open(["binary"], TOKEN);

  assert.equal(await first, "RFB 003.008\n");
  assert.equal(socket.protocol, "binary");
  assert.equal(socket.extensions, "");
  socket.terminate();
});

test("a ping is answered with its own words", async () => {
  const { socket, first } = await open(["binary"], TOKEN);
  await first;

  const answered = once(socket, "pong");
  socket.ping("are you there");

  assert.equal(String((await answered)[0]), "are you there");
  socket.terminate();
});

test("a close is not answered, only the connection ends", async () => {
  const { socket, first } = await open(["binary"], TOKEN);
  await first;

  const closed = once(socket, "close");
  socket.close(1000);

  assert.equal((await closed)[0], 1006);
});

test("two sub-protocols are echoed as one, which this library refuses", async () => {
  const { first } = await open(["binary", "base64"], TOKEN);

  await assert.rejects(first, /Server sent an invalid subprotocol/);
});

test("without an Authorization the answer is 401", async () => {
  const { first } = await open(["binary"], {});

  await assert.rejects(first, /Unexpected server response: 401/);
});
