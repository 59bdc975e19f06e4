// What a relay is before its start, between, and from its stop on.

import assert from "node:assert/strict";
import http from "node:http";
import { after, afterEach, before, test } from "node:test";
import { ConsolepassError, Relay, Vnc } from "../index.mjs";
import { Browser } from "./support/browser.mjs";
import { listen, startEcho } from "./support/servers.mjs";

let desk;
before(async () => (desk = await startEcho()));
after(() => desk?.stop());

/** What a test has begun: one that fails leaves nothing that would keep the process. */
const ends = [];
afterEach(() => Promise.all(ends.splice(0).map((end) => end())));

function relayWith(options) {
  const relay = new Relay({ backends: { desk: new Vnc({ host: desk.address }) }, publicUrl: "http://portal.test", ...options });
  ends.push(() => relay.stop());
  return relay;
}

test("a relay has an address from its start to its stop, and none before and after", async () => {
  const relay = relayWith({ listen: "127.0.0.1:0" });
  assert.equal(relay.address, undefined);
  assert.deepEqual(Object.entries(relay.toJSON()).find(([name]) => name === "address"), ["address", undefined]);

  const address = await relay.start();
  const between = relay.address;
  await relay.stop();

  assert.match(address, /^127\.0\.0\.1:[1-9]\d*$/);
  assert.equal(between, address);
  assert.equal(relay.address, undefined);
});

test("a relay that could not start, and one on a portal's own server, have none", async () => {
  const server = http.createServer();
  ends.push(() => server.close());
  const taken = relayWith({ listen: await listen(server) });
  server.once("upgrade", (...args) => hosted.handleUpgrade(...args));
  const hosted = relayWith({ publicUrl: `http://127.0.0.1:${server.address().port}` });
  const browser = new Browser((await hosted.issue("desk", "desk-1")).url);
  await browser.read(12);

  await assert.rejects(taken.start(), (error) => error instanceof ConsolepassError && error.code === "listen_failed");

  assert.deepEqual([taken.address, hosted.address, hosted.sessionCount], [undefined, undefined, 1]);
});

test("from the moment that stop is called a relay issues nothing and does not start, whoever waits for the stop", async () => {
  const impatient = new AbortController();
  for (const signal of [impatient.signal, undefined]) {
    const relay = relayWith({ listen: "127.0.0.1:0", shutdownGrace: 1 });
    const address = await relay.start();
    const { search } = new URL((await relay.issue("desk", "desk-1")).url);
    // A browser that does not answer makes the stop a long one.
    const browser = new Browser(`ws://${address}/ws${search}`, { origin: "http://portal.test" });
    await browser.read(12);
    browser.socket.pause();

    const stopping = relay.stop({ signal }).then(() => "over", ({ name }) => name);
    impatient.abort();
    const during = await Promise.allSettled([relay.issue("desk", "desk-1"), relay.start()]);
    const outcome = await stopping;
    const later = await Promise.allSettled([relay.issue("desk", "desk-1"), relay.start()]);
    browser.end();

    assert.equal(outcome, signal ? "AbortError" : "over");
    assert.deepEqual([...during, ...later].map(({ reason }) => reason?.code), Array(4).fill("closed"));
  }
});

test("a relay that is stopped before its start does not start, and issues nothing either", async () => {
  const relay = relayWith({ listen: "127.0.0.1:0" });

  const stopping = relay.stop();
  const outcomes = await Promise.allSettled([relay.issue("desk", "desk-1"), relay.start()]);
  await stopping;

  assert.deepEqual(outcomes.map(({ reason }) => reason?.code), ["closed", "closed"]);
});
