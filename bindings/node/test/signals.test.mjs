// Signals that end calls: of any make, and for any number of calls.

import assert from "node:assert/strict";
import { getEventListeners, once } from "node:events";
import { createServer } from "node:net";
import { after, before, test } from "node:test";
import { Proxmox, Relay, Vnc } from "../index.mjs";
import { TOKEN_ID, TOKEN_SECRET } from "./support/emulator.mjs";
import { listen } from "./support/servers.mjs";

/** A hypervisor that never answers, and the sockets of those who wait for it. */
let silent;
const sockets = new Set();
let pve;
before(async () => {
  silent = createServer((socket) => {
    sockets.add(socket.on("error", () => {}).resume());
    socket.once("close", () => sockets.delete(socket));
  });
  pve = new Proxmox({ host: await listen(silent), tokenId: TOKEN_ID, tokenSecret: TOKEN_SECRET, timeout: 120 });
});
after(() => {
  silent?.close();
  for (const socket of sockets) socket.destroy();
});

/** A signal such as the package abort-controller makes: with neither `throwIfAborted` nor `reason`. */
class OldSignal {
  aborted = false;
  #listeners = new Set();

  get listenerCount() {
    return this.#listeners.size;
  }

  addEventListener(_type, listener) {
    this.#listeners.add(listener);
  }

  removeEventListener(_type, listener) {
    this.#listeners.delete(listener);
  }

  abort() {
    this.aborted = true;
    for (const listener of this.#listeners) listener({ type: "abort" });
  }
}

const outcome = (call) => call.then(assert.fail, (error) => error);
const isAbort = ({ name, code }) => name === "AbortError" && code === DOMException.ABORT_ERR;

test("a signal without throwIfAborted and reason ends a call before, in the middle, and not after it", async () => {
  const [early, middle, late] = [new OldSignal(), new OldSignal(), new OldSignal()];
  early.abort();

  const before = await outcome(pve.open("pve1/qemu/101", { signal: early }));
  const call = outcome(pve.open("pve1/qemu/101", { signal: middle }));
  await Promise.race([once(silent, "connection"), call]);
  middle.abort();
  const during = await call;
  const { machine } = await new Vnc({ host: "127.0.0.1:1" }).open("d", { signal: late });
  late.abort();

  assert.ok(isAbort(before) && isAbort(during));
  assert.equal(machine, "d");
  assert.deepEqual([early, middle, late].map(({ listenerCount }) => listenerCount), [0, 0, 0]);
});

test("a reason is thrown as it is, whatever it is", async () => {
  for (const reason of [null, 0, "the customer went away", new Error("the customer went away")]) {
    const controller = new AbortController();
    const call = outcome(pve.open("pve1/qemu/101", { signal: controller.signal }));

    controller.abort(reason);

    assert.equal(await call, reason);
    assert.equal(await outcome(pve.open("pve1/qemu/101", { signal: controller.signal })), reason);
  }
});

test("what has not all that a signal needs is refused", async () => {
  const whole = { aborted: false, addEventListener() {}, removeEventListener() {} };
  const relay = new Relay({ backends: { desk: new Vnc({ host: "h" }) }, publicUrl: "http://portal.test" });
  for (const name of Object.keys(whole)) {
    const signal = { ...whole, [name]: undefined };
    for (const call of [() => pve.open("101", { signal }), () => relay.issue("desk", "d", { signal }), () => relay.stop({ signal })]) {
      const { code, message } = await outcome(call());

      assert.deepEqual([code, message], ["invalid_argument", "signal: an object: must be an AbortSignal"], name);
    }
  }
  assert.equal((await relay.issue("desk", "d", { signal: whole })).url.startsWith("ws://portal.test/"), true);
});

test("fifty calls on one signal end with it, with one listener, no warning, and none left behind", async () => {
  const warnings = [];
  const warn = (warning) => warnings.push(warning.message);
  process.on("warning", warn);
  const controller = new AbortController();
  const { signal } = controller;
  try {
    const calls = Array.from({ length: 50 }, () => outcome(pve.open("pve1/qemu/101", { signal })));
    const during = getEventListeners(signal, "abort").length;
    controller.abort();

    assert.ok((await Promise.all(calls)).every((error) => error === signal.reason));
    // Warnings are told a turn later.
    await new Promise(setImmediate);
    assert.deepEqual([during, getEventListeners(signal, "abort").length, warnings], [1, 0, []]);
  } finally {
    process.off("warning", warn);
  }
});

test("a signal that outlives its calls keeps nothing of them, and ends the next", async () => {
  const old = new OldSignal();
  const controller = new AbortController();
  const desk = new Vnc({ host: "127.0.0.1:1" });

  for (const signal of [old, controller.signal]) {
    await Promise.all(Array.from({ length: 20 }, () => desk.open("d", { signal })));
    assert.deepEqual([old.listenerCount, getEventListeners(controller.signal, "abort").length], [0, 0]);

    const [short, long] = [desk.open("d", { signal }), outcome(pve.open("pve1/qemu/101", { signal }))];
    await short;
    (signal === old ? old : controller).abort();

    assert.equal((await long).name, "AbortError", "one call's end is not the other's");
  }
});
