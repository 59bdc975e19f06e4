// No byte is lost or changed on the way from Node's hands to the relay's, however it came.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import https from "node:https";
import { createRequire } from "node:module";
import { connect, createServer } from "node:net";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ConsolepassError, Relay, Vnc } from "../index.mjs";
import { Browser } from "./support/browser.mjs";
import { certificate } from "./support/certificate.mjs";
import { listen, startEcho } from "./support/servers.mjs";

const MIB = 1024 * 1024;
const { key, cert } = certificate();
/** Each way on which bytes reach the relay. */
const WAYS = {
  "by descriptor": { create: () => http.createServer(), scheme: "http", options: {} },
  "through TLS": { create: () => https.createServer({ key, cert }), scheme: "https", options: { ca: cert } },
};

let echo;
before(async () => (echo = await startEcho()));
after(() => echo?.stop());

async function startPortal({ create, scheme }, { desk = echo, hand = (relay, ...args) => relay.handleUpgrade(...args) } = {}) {
  const server = create();
  server.on("upgrade", (...args) => hand(relay, ...args));
  const publicUrl = `${scheme}://${await listen(server)}/console`;
  const relay = new Relay({ backends: { desk: new Vnc({ host: desk.address }) }, publicUrl });
  return {
    relay,
    url: async () => (await relay.issue("desk", "desk-1")).url,
    async [Symbol.asyncDispose]() {
      await relay.stop();
      await new Promise((resolve) => server.close(resolve).closeAllConnections());
    },
  };
}

/** Node 20 has no `await using`. */
async function withPortal(way, options, body) {
  const portal = await startPortal(way, options);
  try {
    await body(portal);
  } finally {
    await portal[Symbol.asyncDispose]();
  }
}

async function shakeHands(browser) {
  await browser.read(12);
  browser.write("RFB 003.008\n");
  await browser.read(2);
  browser.write([1]);
  await browser.read(4);
}

/** `Promise.withResolvers`, which Node 20 has not. */
function withResolvers() {
  const parts = {};
  parts.promise = new Promise((resolve) => (parts.resolve = resolve));
  return parts;
}

const [BINARY, PING, PONG] = [0x2, 0x9, 0xa];

/** A masked frame of less than 126 bytes, as a browser sends it. */
function frame(opcode, payload) {
  const mask = randomBytes(4);
  const masked = Buffer.from(payload).map((byte, index) => byte ^ mask[index % 4]);
  return Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | masked.length]), mask, masked]);
}

/** What the server has said so far: the head of its answer, and the whole frames, each shorter than 126 bytes. */
function unframe(bytes) {
  const end = bytes.indexOf("\r\n\r\n");
  const said = { head: end < 0 ? undefined : String(bytes.subarray(0, end)), [BINARY]: "", [PONG]: "" };
  for (let at = end + 4; end >= 0 && at + 2 + (bytes[at + 1] ?? 0) <= bytes.length; at += 2 + bytes[at + 1]) {
    said[bytes[at] & 0xf] += bytes.subarray(at + 2, at + 2 + bytes[at + 1]).toString("latin1");
  }
  return said;
}

test("two hundred at once, with data in, right behind and long before the portal is ready", async () => {
  // Half of the portal's answers wait for something first, and meanwhile Node reads what comes: `begun` tells the client when.
  const begun = Array.from({ length: 200 }, () => withResolvers());
  let buffered = 0;
  const hand = async (relay, req, socket, head) => {
    socket.on("error", () => {});
    const number = Number(req.headers["x-number"]);
    if (number % 2) {
      begun[number].resolve();
      while (socket.readableLength === 0) await sleep(1);
      buffered += 1;
    }
    relay.handleUpgrade(req, socket, head);
    begun[number].resolve();
  };
  await withPortal(WAYS["by descriptor"], { hand }, async ({ relay, url }) => {
    const urls = await Promise.all(Array.from({ length: 200 }, url));

    const outcomes = await Promise.all(
      urls.map(async (each, number) => {
        const { host, hostname, port, pathname, search } = new URL(each);
        const word = `word ${number}`;
        const early = frame(PING, word);
        const request = [
          `GET ${pathname}${search} HTTP/1.1`,
          `Host: ${host}`,
          `Origin: http://${host}`,
          "Connection: Upgrade",
          "Upgrade: websocket",
          "Sec-WebSocket-Version: 13",
          "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
          "Sec-WebSocket-Protocol: binary",
          `X-Number: ${number}`,
          "\r\n",
        ].join("\r\n");
        const socket = connect(Number(port), hostname);
        await once(socket, "connect");
        // Half have a part of their first frame in the request's own packet.
        const cut = number % 4 < 2 ? early.length - 3 : 0;
        socket.write(Buffer.concat([Buffer.from(request), early.subarray(0, cut)]));
        await begun[number].promise;
        socket.write(early.subarray(cut));
        let heard = Buffer.alloc(0);
        // Each answer is given when what is before it was heard.
        const answers = [
          ["RFB 003.008\n", "RFB 003.008\n"],
          ["\x01\x01", "\x01"],
          ["\0\0\0\0", word],
        ];
        let expected = "";
        for await (const chunk of socket) {
          heard = Buffer.concat([heard, chunk]);
          const said = unframe(heard);
          while (answers.length > 0 && said[BINARY].startsWith(expected + answers[0][0])) {
            const [question, answer] = answers.shift();
            expected += question;
            socket.write(frame(BINARY, answer));
          }
          if (answers.length === 0 && said[BINARY] === expected + word && said[PONG] === word) return said.head.slice(0, 12);
        }
        return `ended after ${JSON.stringify(unframe(heard))}`;
      }),
    );

    assert.deepEqual(new Set(outcomes), new Set(["HTTP/1.1 101"]));
    assert.deepEqual([outcomes.length, buffered], [200, 100]);
    while (relay.sessionCount > 0) await sleep(5);
  });
});

for (const [name, way] of Object.entries(WAYS)) {
  test(`eight MiB ${name} come back as they went`, async () => {
    await withPortal(way, {}, async ({ url }) => {
      const browser = new Browser(await url(), way.options);
      await shakeHands(browser);
      const sent = randomBytes(8 * MIB);

      for (let at = 0; at < sent.length; at += 100_000) browser.write(sent.subarray(at, at + 100_000));
      const back = createHash("sha256");
      for (let left = sent.length; left > 0; left -= MIB) back.update(await browser.read(MIB));

      assert.equal(back.digest("hex"), createHash("sha256").update(sent).digest("hex"));
      browser.end();
    });
  });

  test(`a console that reads nothing holds the browser back ${name}`, async () => {
    const deaf = await startEcho((socket) => socket.pause());
    try {
      await withPortal(way, { desk: deaf }, async ({ url }) => {
        const browser = new Browser(await url(), way.options);
        await shakeHands(browser);

        let sent = 0;
        const sendNext = () => sent < 64 && browser.socket.send(Buffer.alloc(MIB), () => ((sent += 1), sendNext()));
        sendNext();
        await settled(() => sent);

        assert.ok(sent < 32, `${sent} MiB were taken`);
        browser.end();
      });
    } finally {
      deaf.stop();
    }
  });

  test(`a browser that reads nothing holds the console back ${name}`, async () => {
    let sent = 0;
    const sendNext = (socket) => sent < 64 && socket.write(Buffer.alloc(MIB), () => ((sent += 1), sendNext(socket)));
    const talker = await startEcho(sendNext);
    try {
      await withPortal(way, { desk: talker }, async ({ url }) => {
        const browser = new Browser(await url(), way.options);
        await shakeHands(browser);

        browser.socket.pause();
        await settled(() => sent);

        assert.ok(sent < 32, `${sent} MiB were sent`);
        browser.end();
      });
    } finally {
      talker.stop();
    }
  });
}

test("a plain socket is carried where it cannot be taken over, and a defect is no reason to", async () => {
  const { handOver } = createRequire(import.meta.url)("../lib/hosting.cjs");
  const refused = (code) => new Error(JSON.stringify({ code, message: "on purpose", hint: "", causes: [] }));
  // As the addon throws a panic.
  const panic = Object.assign(new Error("on purpose"), { code: "GenericFailure" });
  const noPipe = () => { throw panic; };
  const pipe = () => ({ read: () => new Promise(() => {}), write: async () => {}, end: async () => {}, close: () => {} });
  const server = createServer();
  const port = (await listen(server)).split(":")[1];
  try {
    for (const [thrown, servePipe, expected] of [
      [refused("unsupported"), pipe, undefined],
      [refused("unsupported"), noPipe, "internal"],
      [refused("internal"), pipe, "internal"],
      [panic, pipe, "internal"],
    ]) {
      const browser = connect(port, "127.0.0.1").on("error", () => {});
      const [socket] = await once(server, "connection");
      let carried;
      const native = {
        serveDescriptor: () => { throw thrown; },
        servePipe: (read) => ((carried = String(read)), servePipe()),
      };
      const give = () => handOver(native, socket, Buffer.from("GET"));

      try {
        if (expected === undefined) give();
        else assert.throws(give, (error) => error instanceof ConsolepassError && error.code === expected);

        assert.equal(carried, thrown.message.includes("unsupported") ? "GET" : undefined);
        assert.equal(socket.destroyed, expected !== undefined, "nobody else would answer it");
      } finally {
        socket.destroy();
        browser.destroy();
      }
    }
  } finally {
    server.close();
  }
});

/** Waits until a number has not changed for a while. */
async function settled(number) {
  for (let last = NaN, same = 0; same < 10; ) {
    await sleep(20);
    same = number() === last ? same + 1 : 0;
    last = number();
  }
}
