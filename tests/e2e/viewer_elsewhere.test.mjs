// The viewer as `consolepass viewer export` writes it, served by a portal on an origin that is not the relay's.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { openBrowser } from "./browser.mjs";
import { start, until } from "./demo/child.mjs";
import { PROGRAM, startRelay } from "./relay_process.mjs";

const TOKEN_SECRET = "6d6f6f6e-6c69-6768-742d-736f6e617461";
const TYPES = { html: "text/html", js: "text/javascript", css: "text/css" };

async function startHypervisor() {
  let double;
  const args = ["emulate", "proxmox", "--json", "--token", "portal@pve!console", "--banner-delay", "0.05"];
  const child = start(PROGRAM, [...args, "--guest", "qemu/101=screen"], {
    env: { CONSOLEPASS_EMULATE_TOKEN_SECRET: TOKEN_SECRET },
    onLine: (line) => (double ??= JSON.parse(line)),
  });
  await until("the emulated hypervisor", () => double);
  return { ...double, stop: child.stop };
}

/** Serves the files of a folder below /viewer/, under the header that the command printed. */
async function serve(folder) {
  const site = { policy: "" };
  const server = createServer(async (request, response) => {
    const name = request.url.replace(/^[/]viewer[/]/, "") || "index.html";
    const content = await readFile(join(folder, name)).catch(() => undefined);
    const type = TYPES[name.split(".").at(-1)];
    response.writeHead(content ? 200 : 404, { "Content-Type": type ?? "text/plain", "Content-Security-Policy": site.policy });
    response.end(content);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  site.origin = `http://127.0.0.1:${server.address().port}`;
  site.stop = () => new Promise((resolve) => server.close(resolve).closeAllConnections());
  return site;
}

test("a page on another origin opens the console of the relay that it was exported for", { timeout: 120_000 }, async () => {
  const stops = [];
  try {
    const folder = await mkdtemp(join(tmpdir(), "consolepass-elsewhere-"));
    stops.push(() => rm(folder, { recursive: true, force: true }));
    const pages = join(folder, "viewer");
    const site = await serve(pages);
    stops.push(site.stop);
    const hypervisor = await startHypervisor();
    stops.push(hypervisor.stop);
    const relay = await startRelay(folder, {
      relay: `allowed_origins = ["${site.origin}"]`,
      backend: `type = "proxmox"\nhost = "${hypervisor.address}"\nfingerprint = "${hypervisor.fingerprint}"
        token_id = "portal@pve!console"\ntoken_secret_env = "TOKEN_SECRET"`,
      env: { TOKEN_SECRET },
    });
    stops.push(relay.stop);
    const exported = await promisify(execFile)(PROGRAM, ["viewer", "export", pages, "--relay", relay.publicUrl, "--json"]);
    site.policy = JSON.parse(exported.stdout).content_security_policy;
    const browser = await openBrowser();
    stops.push(() => browser.close());
    const { page, record } = await browser.newPage();

    await page.goto(`${site.origin}/viewer/#pass=${relay.pass("qemu/101")}`);
    await page.waitForSelector('#state[data-state="connected"]', { timeout: 30_000 });

    await page.waitForSelector("#screen canvas");
    assert.ok(new URL(relay.publicUrl).origin !== site.origin);
    await record.settle();
    assert.deepEqual(record.violations, []);
    assert.equal(page.url(), `${site.origin}/viewer/`, "the pass left the address");
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
});
