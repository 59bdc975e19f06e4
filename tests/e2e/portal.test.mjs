// The example portals: a customer's click, from the portal's page to the picture, before the emulated hypervisor.

import assert from "node:assert/strict";
import { cp, mkdir, mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { openBrowser } from "./browser.mjs";
import { start, until } from "./demo/child.mjs";
import { PROGRAM, freePort } from "./relay_process.mjs";

const repository = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const RUST =
  process.env.CONSOLEPASS_EXAMPLE_PORTAL ??
  fileURLToPath(new URL("./consolepass-example-portal", `file://${PROGRAM}`));
/** Each portal's command, and where its page sends a click on a machine to. */
const PORTALS = {
  Rust: { command: async () => [RUST], path: "console" },
  Node: { command: installed, path: "open" },
};
const TOKEN_SECRET = "6d6f6f6e-6c69-6768-742d-736f6e617461";

/** The emulated hypervisor with both of the customer's machines. */
async function startHypervisor() {
  let double;
  const args = ["emulate", "proxmox", "--json", "--token", "portal@pve!console", "--banner-delay", "0.05"];
  const guests = ["--guest", "qemu/101=screen", "--guest", "lxc/200=stopped"];
  const child = start(PROGRAM, [...args, ...guests], {
    env: { CONSOLEPASS_EMULATE_TOKEN_SECRET: TOKEN_SECRET },
    onLine: (line) => (double ??= JSON.parse(line)),
  });
  await until("the emulated hypervisor", () => double);
  return { ...double, stop: child.stop };
}

/** The example in Node in a folder of its own, with the package where `npm install` would put it. */
async function installed(folder) {
  await cp(repository("examples/node"), folder, { recursive: true });
  await mkdir(join(folder, "node_modules"));
  await symlink(repository("bindings/node"), join(folder, "node_modules/consolepass"));
  return [process.execPath, join(folder, "portal.js")];
}

async function startPortal([program, ...args], hypervisor) {
  const listen = `127.0.0.1:${await freePort()}`;
  const child = start(program, args, {
    env: {
      PORTAL_LISTEN: listen,
      RELAY_LISTEN: `127.0.0.1:${await freePort()}`,
      PVE_HOST: hypervisor.address,
      PVE_TOKEN_ID: "portal@pve!console",
      PVE_TOKEN_SECRET: TOKEN_SECRET,
      PVE_FINGERPRINT: hypervisor.fingerprint,
    },
  });
  const url = `http://${listen}/`;
  await until("the portal", () => fetch(url).then((answer) => answer.ok, () => false));
  return { url, stop: child.stop };
}

for (const [language, { command, path }] of Object.entries(PORTALS)) {
  test(`in ${language}: a customer clicks on a machine and sees it, or reads why not`, { timeout: 120_000 }, () =>
    visit(command, path),
  );
}

async function visit(command, path) {
  const folder = await mkdtemp(join(tmpdir(), "consolepass-portal-"));
  const stops = [() => rm(folder, { recursive: true })];
  try {
    const hypervisor = await startHypervisor();
    stops.push(hypervisor.stop);
    const portal = await startPortal(await command(folder), hypervisor);
    stops.push(portal.stop);
    const browser = await openBrowser();
    stops.push(() => browser.close());
    const { page, record } = await browser.newPage();

    await page.goto(portal.url);
    await page.click("li:has-text('web server') button");
    await page.waitForSelector('#state[data-state="connected"]', { timeout: 30_000 });
    await until("a picture of more than one colour", () =>
      page.evaluate(() => {
        const canvas = document.querySelector("#screen canvas");
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        const pixels = new Uint32Array(data.buffer);
        return pixels.some((pixel) => pixel !== pixels[0]);
      }),
    );

    await page.goto(portal.url);
    await page.click("li:has-text('database') button");
    const refused = await page.waitForSelector('#state[data-state="refused"]', { timeout: 30_000 });
    assert.equal(await refused.getAttribute("data-code"), "machine_not_running");
    assert.match(await refused.innerText(), /the machine is not running/i);

    const stranger = await fetch(`${portal.url}${path}/qemu/999`, { method: "POST" });
    assert.equal(stranger.status, 403);
    await record.settle();
    assert.deepEqual(record.whereReceived(TOKEN_SECRET), []);
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}
