// A second server of another make: TigerVNC's X server, behind the relay as a plain RFB server with a password.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { openBrowser } from "./browser.mjs";
import { start, until } from "./demo/child.mjs";
import { PROGRAM, startRelay } from "./relay_process.mjs";

const PASSWORD = "xvnc-pw1";
const COLOUR = [0x12, 0x9a, 0x56];

/** An X server with a password, painted in one colour, and a client that says which keys arrive. */
async function startX(folder) {
  const passwordFile = join(folder, "passwd");
  const { stdout } = spawnSync("vncpasswd", ["-f"], { input: PASSWORD });
  await writeFile(passwordFile, stdout, { mode: 0o600 });
  const socket = join(folder, "xvnc");
  let display;
  const args = ["-displayfd", "1", "-rfbport", "-1", "-rfbunixpath", socket, "-geometry", "320x200", "-depth", "24"];
  const security = ["-SecurityTypes", "VncAuth", "-PasswordFile", passwordFile, "-BlacklistThreshold", "1000", "-ac"];
  const server = start("Xvnc", [...args, ...security], { onLine: (line) => (display ??= line.trim()) });
  await until("the X server", () => display !== undefined);
  const env = { DISPLAY: `:${display}` };
  const hex = COLOUR.map((part) => part.toString(16).padStart(2, "0")).join("");
  const painted = spawnSync("xsetroot", ["-solid", `#${hex}`], { env: { ...process.env, ...env } });
  if (painted.status !== 0) {
    await server.stop();
    assert.fail(`xsetroot: ${painted.error?.message ?? painted.stderr}`);
  }
  const keys = [];
  const watcher = start("xev", ["-root", "-event", "keyboard"], {
    env,
    onLine: (line) => {
      const key = /keysym 0x[0-9a-f]+, (\w+)/.exec(line);
      if (key) keys.push(key[1]);
    },
  });
  return {
    socket,
    keys,
    async stop() {
      await watcher.stop();
      await server.stop();
    },
  };
}

/** The link of a pass from the command line, which needs the relay's file and none of its backends' secrets. */
function issuedLink(config) {
  const args = ["pass", "--config", config, "--backend", "desk", "--machine", "desk-1", "--json"];
  const { status, stdout, stderr } = spawnSync(PROGRAM, args, { encoding: "utf8" });
  assert.equal(status, 0, stdout + stderr);
  return JSON.parse(stdout).viewer_url;
}

test("a desktop of TigerVNC is seen and typed into, and its password stays with the relay", { timeout: 120_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "consolepass-xvnc-"));
  const stops = [];
  try {
    const x = await startX(folder);
    stops.push(() => x.stop());
    const relay = await startRelay(folder, {
      backend: `type = "vnc"\nhost = "unix:${x.socket}"\npassword_env = "XVNC_PASSWORD"`,
      env: { XVNC_PASSWORD: PASSWORD, CONSOLEPASS_LOG: "trace" },
    });
    stops.push(() => relay.stop());
    const browser = await openBrowser();
    stops.push(() => browser.close());
    const { page, record } = await browser.newPage();

    let link;
    await until("a pass from after the relay's start", async () => {
      await page.goto("about:blank");
      link = issuedLink(relay.config);
      await page.goto(link);
      const state = await page.waitForSelector('#state:is([data-state="connected"], [data-state="refused"])', { timeout: 30_000 });
      return (await state.getAttribute("data-state")) === "connected";
    });
    await until("the desktop's colour", () =>
      page.evaluate((colour) => {
        const canvas = document.querySelector("#screen canvas");
        if (canvas?.width !== 320 || canvas.height !== 200) return false;
        const { data } = canvas.getContext("2d").getImageData(0, 0, 320, 200);
        let same = 0;
        for (let at = 0; at < data.length; at += 4) if (colour.every((part, index) => data[at + index] === part)) same += 1;
        return same > 320 * 200 * 0.9;
      }, COLOUR),
    );
    await page.keyboard.type("rfb");
    await until("the keys", () => ["r", "f", "b"].every((key) => x.keys.includes(key)));

    await record.settle();
    assert.deepEqual(record.whereReceived(PASSWORD), []);
    assert.ok(!relay.log.includes(PASSWORD), "the password is in the log");
    assert.ok(!relay.log.includes(link.split("#pass=")[1]), "the pass is in the log");
    assert.match(relay.log, /pass taken/, "the log was not heard");
    assert.deepEqual(record.violations, []);
  } finally {
    for (const stop of stops.reverse()) await stop();
    await rm(folder, { recursive: true, force: true });
  }
});
