// What the viewer's tests share: a tab, a relay that the test plays, and the checks that hold in every test.

import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { after, before } from "node:test";
import { openBrowser } from "./browser.mjs";
import { startFakeRelay } from "./fake_relay.mjs";

export const PASS = "r1.q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k";

// To look at the states with one's own eyes: name a folder here.
const PICTURES = process.env.CONSOLEPASS_SCREENSHOTS;

let browser;
before(async () => {
  browser = await openBrowser();
});
after(() => browser?.close());

/** A tab and a relay for one test, and afterwards the checks that hold whatever the test was about. */
export async function withViewer(relayOptions, body) {
  const relay = await startFakeRelay(relayOptions);
  const { page, record } = await browser.newPage();
  try {
    await body({ relay, page, record });
    await record.settle();
    assert.deepEqual(record.violations, []);
    assert.deepEqual(record.missed, []);
    assert.deepEqual(record.console.filter((text) => text.includes(PASS)), []);
    assert.deepEqual(record.urls.filter((url) => url.replace(/#.*/, "").includes(PASS)), []);
    assert.deepEqual(relay.requests.filter((url) => url.includes(PASS)), []);
  } finally {
    await page.close();
    await relay.close();
  }
}

export const inState = (page, state) => page.waitForSelector(`#state[data-state="${state}"]`, { timeout: 10_000 });
export const showing = (page, words) => page.waitForSelector(`#state :text-is("${words}"):visible`, { timeout: 10_000 });

export async function picture(page, name) {
  if (PICTURES === undefined) return;
  await mkdir(PICTURES, { recursive: true });
  await page.screenshot({ path: join(PICTURES, `${name}.png`) });
}

export async function connected(page, relay) {
  await page.goto(relay.viewerUrl(PASS));
  const session = await relay.session();
  session.connect();
  await inState(page, "connected");
  return session;
}
