// The viewer in a real browser, from the pass to every kind of end, against a relay that this file plays.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { connected, inState, PASS, picture, showing, withViewer } from "./viewer_harness.mjs";

describe("the pass", () => {
  test("leaves the address and the history before noVNC or the websocket is there", async () => {
    await withViewer({}, async ({ relay, page }) => {
      // What the page does, in order: its own functions are replaced by ones that keep a diary.
      await page.addInitScript(() => {
        window.__diary = [];
        const replaceState = history.replaceState.bind(history);
        history.replaceState = (...args) => {
          window.__diary.push("address cleaned");
          replaceState(...args);
        };
        window.WebSocket = new Proxy(window.WebSocket, {
          construct(target, args) {
            window.__diary.push(`websocket at ${location.hash || "no fragment"}`);
            return new target(...args);
          },
        });
        // noVNC's modules look at navigator.platform and at canvas support as they are evaluated.
        const createElement = document.createElement.bind(document);
        document.createElement = (...args) => {
          window.__diary.push("an element made");
          return createElement(...args);
        };
      });

      await connected(page, relay);

      const diary = await page.evaluate(() => window.__diary);
      assert.equal(diary[0], "address cleaned");
      assert.ok(diary.includes("websocket at no fragment"));
      assert.ok(diary.includes("an element made"), "the diary noticed noVNC at all");
      assert.equal(page.url(), relay.pageUrl);
      assert.equal(await page.evaluate(() => history.length), 2, "about:blank and this page");
    });
  });

  test("travels as a sub-protocol and is found nowhere else", async () => {
    await withViewer({}, async ({ relay, page, record }) => {
      const session = await connected(page, relay);

      assert.deepEqual(session.offered, ["consolepass.1", "binary", `consolepass.pass.${PASS}`]);
      assert.ok(!(await page.content()).includes(PASS));
      const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));
      assert.equal(kept, '[{},{},""]');
      await record.settle();
      assert.deepEqual(record.whereReceived(PASS), []);
      assert.ok(record.whereSent(PASS).every((place) => place.startsWith("websocket handshake")));
      assert.equal(record.whereSent(PASS).length, 1);
    });
  });

  test("in a new link opened in the same tab starts a new console", async () => {
    await withViewer({ onSession: (session) => session.connect() }, async ({ relay, page }) => {
      await page.goto(relay.viewerUrl(PASS));
      await inState(page, "connected");

      await page.evaluate((url) => location.assign(url), relay.viewerUrl("second"));

      const second = await relay.session(1);
      assert.ok(second.offered.includes("consolepass.pass.second"));
      await inState(page, "connected");
      assert.equal(page.url(), relay.pageUrl);
    });
  });
});

describe("connecting", () => {
  test("shows each step in words, with the reference", async () => {
    await withViewer({}, async ({ relay, page }) => {
      await page.goto(relay.viewerUrl(PASS));
      const session = await relay.session();
      const steps = {
        ticket: "Asking the hypervisor for a console…",
        connect: "Connecting to the machine…",
        log_in: "Logging in…",
        ready: "Waiting for the picture…",
      };
      for (const [step, words] of Object.entries(steps)) {
        session.step(step);
        await showing(page, words);
        await inState(page, "connecting");
      }
      await showing(page, "Reference k3j9x2");
      await picture(page, "connecting");
    });
  });

  test("is over only when noVNC has the console", async () => {
    await withViewer({}, async ({ relay, page }) => {
      await page.goto(relay.viewerUrl(PASS));
      const session = await relay.session();
      session.step("ready");
      await showing(page, "Waiting for the picture…");
      assert.equal(await page.isEnabled("#ctrl-alt-del"), false);

      session.screen.start();

      await inState(page, "connected");
      assert.equal(await page.isEnabled("#ctrl-alt-del"), true);
      assert.equal(await page.title(), "Console");
    });
  });

  test("works at the root of a site too", async () => {
    await withViewer({ prefix: "/" }, async ({ relay, page }) => {
      await connected(page, relay);

      assert.deepEqual([...relay.requests].sort(), ["/", "/viewer.css", "/viewer.js", "/ws"]);
    });
  });
});

describe("refused", () => {
  async function refusal(page) {
    const state = await inState(page, "refused");
    return { code: await state.getAttribute("data-code"), words: await state.innerText() };
  }

  test("a page without a pass says so and opens no websocket", async () => {
    await withViewer({}, async ({ relay, page }) => {
      await page.goto(relay.pageUrl);

      const { code, words } = await refusal(page);

      assert.equal(code, "no_pass");
      assert.match(words, /holds no pass/);
      assert.match(words, /open the console again from your portal/);
      assert.ok(!relay.requests.includes("/console/ws"));
      await picture(page, "refused-no-pass");
    });
  });

  test("a link that was cut or changed says so and opens no websocket", async () => {
    await withViewer({}, async ({ relay, page, record }) => {
      await page.goto(relay.viewerUrl("two%20words"));

      assert.equal((await refusal(page)).code, "pass_invalid");
      assert.equal(page.url(), relay.pageUrl);
      assert.ok(!relay.requests.includes("/console/ws"));
      assert.deepEqual(record.console, []);
    });
  });

  test("loading the page a second time does not spend the pass again", async () => {
    await withViewer({}, async ({ relay, page }) => {
      await connected(page, relay);

      await page.reload();

      assert.equal((await refusal(page)).code, "no_pass");
      assert.equal(relay.requests.filter((url) => url === "/console/ws").length, 1);
    });
  });

  test("the relay's sentence, its code and the reference are shown", async () => {
    await withViewer({}, async ({ relay, page }) => {
      await page.goto(relay.viewerUrl(PASS));
      const session = await relay.session();

      session.step("ticket");
      session.end(6, "machine_not_running", "the machine is not running", "abc123");

      const { code, words } = await refusal(page);
      assert.equal(code, "machine_not_running");
      assert.match(words, /The machine is not running\./);
      assert.match(words, /Reference abc123/);
      await picture(page, "refused-machine-not-running");
    });
  });

  test("what the relay says is text and never markup", async () => {
    await withViewer({}, async ({ relay, page }) => {
      await page.goto(relay.viewerUrl(PASS));

      (await relay.session()).end(30, "internal", "<img src=x onerror=alert(1)> went wrong");

      assert.match((await refusal(page)).words, /<img src=x onerror=alert\(1\)> went wrong\./);
      assert.equal(await page.locator("#state img").count(), 0);
    });
  });

  test("a close without words still names its code", async () => {
    await withViewer({}, async ({ relay, page }) => {
      await page.goto(relay.viewerUrl(PASS));

      (await relay.session()).websocket.close(4019, "pass_used");

      const { code, words } = await refusal(page);
      assert.equal(code, "pass_used");
      assert.match(words, /pass used/);
    });
  });

  test("a relay that refuses the upgrade is told in words", async () => {
    await withViewer({ refuse: true }, async ({ relay, page }) => {
      await page.goto(relay.viewerUrl(PASS));

      assert.equal((await refusal(page)).code, "relay_unreachable");
    });
  });

  test("a console that wants a password is refused, since the page has none", async () => {
    await withViewer({}, async ({ relay, page }) => {
      await page.goto(relay.viewerUrl(PASS));
      const { websocket } = await relay.session();

      websocket.send(Buffer.from("RFB 003.008\n"));
      websocket.once("message", () => {
        websocket.send(Buffer.from([1, 2]));
        websocket.once("message", () => websocket.send(Buffer.alloc(16)));
      });

      assert.equal((await refusal(page)).code, "protocol");
    });
  });

  test("bytes that are no console are refused", async () => {
    await withViewer({}, async ({ relay, page }) => {
      await page.goto(relay.viewerUrl(PASS));

      (await relay.session()).websocket.send(Buffer.from("HTTP/1.1 200 OK\r\n\r\n"));

      assert.equal((await refusal(page)).code, "protocol");
    });
  });
});

describe("ended", () => {
  async function ending(page) {
    const state = await inState(page, "ended");
    return { code: await state.getAttribute("data-code"), words: await state.innerText() };
  }

  test("the relay's sentence, its code and the reference are shown", async () => {
    await withViewer({}, async ({ relay, page, record }) => {
      const session = await connected(page, relay);

      session.end(23, "revoked", "access was withdrawn", "abc123");

      const { code, words } = await ending(page);
      assert.equal(code, "revoked");
      assert.match(words, /Access was withdrawn\./);
      assert.match(words, /Reference abc123/);
      assert.match(words, /open the console again from your portal/);
      assert.equal(await page.isEnabled("#ctrl-alt-del"), false);
      assert.deepEqual(record.console, []);
      await picture(page, "ended");
    });
  });

  test("a reference that came with a step is still shown when the connection breaks", async () => {
    await withViewer({}, async ({ relay, page }) => {
      const session = await connected(page, relay);

      session.websocket.terminate();

      const { code, words } = await ending(page);
      assert.equal(code, "connection_lost");
      assert.match(words, /The connection was lost\./);
      assert.match(words, /Reference k3j9x2/);
    });
  });

  test("a relay that says the end and never closes is closed from here", async () => {
    await withViewer({}, async ({ relay, page }) => {
      const { websocket } = await connected(page, relay);
      const closed = new Promise((resolve) => websocket.once("close", resolve));

      websocket.send(JSON.stringify({ type: "end", code: "idle", sentence: "nobody used it" }));

      assert.equal((await ending(page)).code, "idle");
      await closed;
    });
  });

  test("an open paste box closes with the console", async () => {
    await withViewer({}, async ({ relay, page }) => {
      const session = await connected(page, relay);
      await page.click("#open-paste");
      await page.fill("#paste-text", "half a password");

      session.end(24, "idle", "nobody used it");

      await ending(page);
      assert.equal(await page.isVisible("#paste"), false);
      assert.equal(await page.inputValue("#paste-text"), "");
    });
  });
});
