// A portal in several processes, as node:cluster makes them.

import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { start, until } from "../../../tests/e2e/demo/child.mjs";
import { Browser, refusal } from "./support/browser.mjs";
import { PROGRAM } from "./support/emulator.mjs";
import { startEcho } from "./support/servers.mjs";

const PORTAL = fileURLToPath(new URL("support/cluster_portal.mjs", import.meta.url));

let desk;
before(async () => (desk = await startEcho()));
after(() => desk?.stop());

async function startPortal(env) {
  let said;
  const child = start(process.execPath, [PORTAL], {
    env: { ...env, DESK: desk.address },
    onLine: (line) => (said ??= JSON.parse(line)),
  });
  const early = child.ended.then((why) => Promise.reject(new Error(why)));
  early.catch(() => {});
  await Promise.race([until("both processes", () => said), early]);
  const issue = async () => (await fetch(`http://127.0.0.1:${said.port}/pass`)).json();
  return { issue, stop: child.stop };
}

/** What a browser of our own kind is told first. */
async function firstWord(url) {
  const browser = new Browser(url, { protocols: ["consolepass.1"] });
  const word = await new Promise((resolve, reject) => {
    browser.socket.on("message", (data, isBinary) => {
      const message = isBinary ? { code: "connected" } : JSON.parse(data);
      if (isBinary || message.type === "end") resolve(message.code);
    });
    browser.failed.then(reject);
  });
  browser.end();
  return word;
}

test("with passes in memory the other process says pass_foreign", async () => {
  const portal = await startPortal({});
  try {
    const told = new Set();
    for (let attempt = 0; attempt < 10; attempt += 1) {
      const { url } = await portal.issue();
      // Connections go to the processes in turns.
      if (attempt % 2) await portal.issue();
      told.add(await firstWord(url));
    }

    assert.deepEqual([...told].sort(), ["connected", "pass_foreign"]);
  } finally {
    await portal.stop();
  }
});

test("with signed passes and a folder for the used ones any process takes a pass, and none a second time", async () => {
  const folder = await mkdtemp(join(tmpdir(), "consolepass-node-"));
  const [keyFile, marks] = [join(folder, "pass.jwk"), join(folder, "marks")];
  await start(PROGRAM, ["pass", "--new-key", keyFile]).ended;
  await mkdir(marks);
  const portal = await startPortal({ KEY_FILE: keyFile, MARKS: marks });
  try {
    for (let attempt = 0; attempt < 6; attempt += 1) {
      const { url } = await portal.issue();

      assert.equal(await firstWord(url), "connected");
      assert.deepEqual([(await refusal(url)).told, (await refusal(url)).told], ["pass_used", "pass_used"]);
    }
  } finally {
    await portal.stop();
    await rm(folder, { recursive: true });
  }
});
