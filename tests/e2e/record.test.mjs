// The record finds what a browser is sent, wherever it is: a leak check that could find nothing would always be content.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { WebSocketServer } from "ws";
import { openBrowser } from "./browser.mjs";

let browser;
let server;
let origin;

before(async () => {
  server = createServer((request, response) => {
    if (request.url === "/") {
      response.writeHead(200, { "Content-Type": "text/html", "X-Header": "in-a-header", "Set-Cookie": "a=in-a-cookie" });
      response.end('<!doctype html><link rel="icon" href="data:,"><script src="/script.js"></script>in-the-document');
    } else if (request.url === "/script.js") {
      response.writeHead(200, { "Content-Type": "text/javascript" });
      response.end("// in-a-script\nconsole.log('in-the-console'); fetch('/moved').then((answer) => answer.text());");
    } else if (request.url === "/moved") {
      response.writeHead(302, { Location: "/data?in-a-redirect" }).end();
    } else {
      response.writeHead(200, { "Content-Type": "application/octet-stream" });
      response.end(Buffer.concat([Buffer.from([0, 255]), Buffer.from("in-binary-data")]));
    }
  });
  const sockets = new WebSocketServer({ server, handleProtocols: () => "in-a-protocol" });
  sockets.on("connection", (socket) => {
    socket.send("in-a-text-frame");
    socket.send(Buffer.from([0, 254, ...Buffer.from("across-the-bor")]));
    socket.send("a text frame between");
    socket.send(Buffer.from([...Buffer.from("der-of-frames"), 255]));
    socket.close();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  origin = `http://127.0.0.1:${server.address().port}`;
  browser = await openBrowser();
});

after(async () => {
  await browser?.close();
  server.closeAllConnections();
  server.close();
});

test("whatever the browser is sent is found, and what it is not sent is not", async () => {
  const { page, record } = await browser.newPage();
  const data = page.waitForResponse((response) => response.url().includes("/data"));

  await page.goto(`${origin}/`);
  await (await data).finished();
  await page.evaluate(
    (url) =>
      new Promise((resolve) => {
        const socket = new WebSocket(url, ["in-a-protocol", "only-sent"]);
        socket.onopen = () => socket.send("out-in-a-frame");
        socket.onclose = resolve;
      }),
    `${origin.replace("http", "ws")}/socket?out-in-an-address`,
  );
  await record.settle();

  const places = [
    ["in-a-header", /^headers /],
    ["in-a-cookie", /^headers /],
    ["in-the-document", /^body /],
    ["in-a-script", /^body /],
    ["in-a-redirect", /^headers /],
    ["in-binary-data", /^body /],
    ["in-a-protocol", /^websocket handshake /],
    ["in-a-text-frame", /^websocket text /],
    ["across-the-border-of-frames", /^websocket stream /],
    [Buffer.from([0, 254]), /^websocket binary /],
  ];
  for (const [needle, place] of places) {
    assert.ok(record.whereReceived(needle).some((found) => place.test(found)), `${needle}: ${record.whereReceived(needle)}`);
  }
  assert.deepEqual(record.whereReceived("only-sent"), []);
  assert.deepEqual(record.whereReceived("never anywhere"), []);
  assert.equal(record.whereSent("only-sent").length, 1);
  assert.equal(record.whereSent("out-in-a-frame").length, 1);
  assert.ok(record.whereSent("out-in-an-address").length > 0);
  assert.ok(record.urls.some((url) => url.includes("out-in-an-address")));
  assert.deepEqual(record.console, ["in-the-console"]);
  assert.deepEqual(record.missed, []);
});

test("a violation of the content security policy is noticed", async () => {
  const { page, record } = await browser.newPage();
  await page.route("**/policy", (route) =>
    route.fulfill({
      headers: { "Content-Security-Policy": "default-src 'none'", "Content-Type": "text/html" },
      body: "<!doctype html><p style='color: red'>red</p>",
    }),
  );

  await page.goto(`${origin}/policy`);
  const deadline = AbortSignal.timeout(10_000);
  while (record.violations.length === 0) {
    deadline.throwIfAborted();
    await page.evaluate(() => new Promise(requestAnimationFrame));
  }

  assert.match(record.violations[0], /^style-src/);
});
