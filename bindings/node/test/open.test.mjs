// Consoles, as an operator's program opens them.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Console, ConsolepassError, Proxmox, Vnc, codes } from "../index.mjs";
import { TOKEN_SECRET, startProxmox, startScript } from "./support/emulator.mjs";

let hypervisor;

before(async () => (hypervisor = await startProxmox({ guests: ["qemu/101=screen", "lxc/200=stopped"] })));
after(() => hypervisor?.stop());

const withCode = (code) => (error) => error instanceof ConsolepassError && error.code === code;

test("a token and a password each open a console", async () => {
  for (const options of [hypervisor.token, hypervisor.password]) {
    const opened = await new Proxmox(options).open("qemu/101");

    assert.ok(opened instanceof Console);
    assert.equal(opened.machine, "pve1/qemu/101");
    assert.equal(opened.kind, "vnc");
    assert.equal(opened.address, hypervisor.address);
    assert.match(opened.websocketUrl, /^wss:\/\/127\.0\.0\.1:\d+\/api2\/json\/nodes\/pve1\/qemu\/101\/vncwebsocket\?/);
    assert.equal(opened.password.length, 8);
    const left = opened.expiresAt - Date.now();
    assert.ok(left > 0 && left <= 10_000, `${left} ms are left`);
    const { url, password } = opened.rfbParameters();
    assert.deepEqual([url, password], [opened.websocketUrl, opened.password]);
  }
  const { headers } = await new Proxmox(hypervisor.token).open("qemu/101");
  assert.deepEqual(Object.keys(headers), ["authorization"]);
});

test("a plain RFB server has an address and no websocket", async () => {
  const opened = await new Vnc({ host: "127.0.0.1:5907", password: "hunter2" }).open("desk");

  assert.deepEqual([opened.address, opened.websocketUrl, opened.password], ["127.0.0.1:5907", undefined, "hunter2"]);
  assert.throws(() => opened.rfbParameters(), withCode("unsupported"));
});

test("the link of a noVNC page is made with the options of the page", async () => {
  const opened = await new Proxmox(hypervisor.token).open("qemu/101");

  const link = opened.novncUrl(`https://${hypervisor.address}/novnc/vnc.html`, { viewOnly: true, resize: "off" });

  assert.match(link, /^https:.*&resize=off&view_only=1$/);
});

test("an error says what, why and what to do, on the caller's stack", async () => {
  const pve = new Proxmox({ ...hypervisor.token, tokenSecret: TOKEN_SECRET.replace("f", "0") });

  const error = await pve.open("qemu/101").then(assert.fail, (error) => error);

  assert.ok(error instanceof ConsolepassError && error instanceof Error);
  assert.equal(error.code, "auth_failed");
  assert.equal(error.httpStatus, 401);
  assert.equal(error.retryable, false);
  assert.equal(error.sentence, "the portal could not log in to the hypervisor");
  assert.match(error.message, /^proxmox: /);
  assert.ok(error.hint.length > 20);
  assert.match(error.stack, /^ConsolepassError: proxmox: [^]*open\.test\.mjs/);
});

test("a certificate that is not the pinned one is shown with its fingerprint", async () => {
  const pve = new Proxmox({ ...hypervisor.token, fingerprint: "00:".repeat(31) + "00" });

  const error = await pve.open("qemu/101").then(assert.fail, (error) => error);

  assert.equal(error.code, "tls_untrusted");
  assert.equal(error.fingerprint, hypervisor.fingerprint);
});

test("a hypervisor that is not there may be tried again later", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const host = `127.0.0.1:${server.address().port}`;
  await new Promise((resolve) => server.close(resolve));

  const error = await new Proxmox({ ...hypervisor.token, host }).open("qemu/101").then(assert.fail, (error) => error);

  assert.equal(error.code, "unreachable");
  assert.equal(error.retryable, true);
  // What was behind it, down to the system's own words.
  const causes = [];
  for (let { cause } = error; cause !== undefined; { cause } = cause) causes.push(cause.message);
  assert.ok(causes.length > 1, causes.join());
  assert.match(causes.at(-1), /refused/);
});

test("many calls at once are answered each for itself", async () => {
  const pve = new Proxmox(hypervisor.password);

  const opened = await Promise.all(Array.from({ length: 40 }, () => pve.open("qemu/101")));

  assert.equal(new Set(opened.map(({ websocketUrl }) => websocketUrl)).size, 40);
});

/** A place between client and server that knows when the client hangs up. */
async function startTap(target) {
  const tap = createServer((socket) => {
    tap.taken = socket;
    tap.hungUp = new Promise((resolve) => socket.once("close", resolve));
    socket.on("error", () => {});
    if (target === undefined) return socket.resume();
    const [host, port] = target.split(":");
    const onward = connect(Number(port), host);
    onward.on("error", () => {});
    socket.pipe(onward).pipe(socket);
    onward.once("data", () => (tap.heardAtAnswer = socket.bytesRead));
  });
  tap.listen(0, "127.0.0.1");
  await once(tap, "listening");
  tap.host = `127.0.0.1:${tap.address().port}`;
  return tap;
}

async function abortWhen(tap, options, ready) {
  const controller = new AbortController();
  // As long as may be: it is the abort that ends it.
  const call = new Proxmox({ ...options, host: tap.host, timeout: 120 }).open("pve1/qemu/101", { signal: controller.signal });
  call.catch(() => {});
  while (!(await ready())) await new Promise((resolve) => setTimeout(resolve, 5));
  controller.abort();
  return call.then(assert.fail, (error) => error);
}

test("an abort in the handshake closes the connection", async () => {
  const tap = await startTap();
  try {
    const error = await abortWhen(tap, hypervisor.token, () => tap.taken?.bytesRead > 0);

    assert.equal(error.name, "AbortError");
    await tap.hungUp;
  } finally {
    tap.close();
  }
});

test("an abort while the hypervisor thinks about its answer closes the connection", async () => {
  const folder = await mkdtemp(join(tmpdir(), "consolepass-node-"));
  const file = join(folder, "hang.json");
  const exchange = { request: { method: "POST" }, response: { hang: true } };
  // With a second one that never comes, for the double ends with its last.
  await writeFile(file, JSON.stringify([{ name: "hang", exchanges: [exchange, exchange] }]));
  const double = await startScript(file, "hang");
  const tap = await startTap(double.address);
  try {
    const { fingerprint } = double;
    // What ends the handshake is shorter than that, and a request is longer.
    const ready = () => tap.heardAtAnswer && tap.taken.bytesRead - tap.heardAtAnswer > 200;
    const error = await abortWhen(tap, { ...hypervisor.token, fingerprint }, ready);

    assert.equal(error.name, "AbortError");
    await tap.hungUp;
  } finally {
    tap.close();
    await double.stop();
    await rm(folder, { recursive: true });
  }
});

test("an abort says why in the words of whoever aborted", async () => {
  const pve = new Proxmox(hypervisor.token);
  const reason = new Error("the customer went away");

  await assert.rejects(pve.open("qemu/101", { signal: AbortSignal.abort(reason) }), (error) => error === reason);
  await assert.rejects(pve.open("qemu/101", { signal: {} }), withCode("invalid_argument"));
  const late = new AbortController();
  await pve.open("qemu/101", { signal: late.signal });
  late.abort();
});

test("the codes are those of every other language", () => {
  assert.deepEqual(codes.pass_used, { ...codes.pass_used, number: 19, retryable: false });
  assert.ok(Object.isFrozen(codes) && Object.isFrozen(codes.pass_used));
});
