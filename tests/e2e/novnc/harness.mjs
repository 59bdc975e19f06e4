// What the tests of noVNC's pages share: a browser, and for each test a hypervisor with tickets and a tab.

import { after, before } from "node:test";
import { chromium } from "playwright-core";
import { Hypervisor } from "./hypervisor.mjs";
import { makeIdentity } from "./identity.mjs";
import { LinkMakers } from "./links.mjs";

let browser;
let identity;
let makers;
before(async () => {
  makers = await LinkMakers.build();
  identity = await makeIdentity();
  browser = await chromium.launch({
    executablePath: process.env.CONSOLEPASS_CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu"],
  });
});
after(() => browser?.close());

/**
 * Runs `body` with a hypervisor that has these tickets, with what makes links, with what they need to link the page `name`,
 * and with a tab that trusts the hypervisor.
 */
export async function withHypervisor(name, tickets, body) {
  const hypervisor = await Hypervisor.start(identity, [...tickets]);
  const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 800, height: 600 } });
  try {
    const wanted = {
      host: hypervisor.authority,
      fingerprint: identity.fingerprint,
      machine: "pve1/qemu/101",
      page: `https://${hypervisor.authority}/novnc/${name}`,
      options: { version: "1.3" },
    };
    await body({ hypervisor, makers, wanted, page: await context.newPage() });
  } finally {
    await context.close();
    await hypervisor.close();
  }
}

/** Waits until the page says that it shows a screen. */
export async function connected(page) {
  const says = () =>
    document.documentElement.classList.contains("noVNC_connected") ||
    document.getElementById("status")?.textContent.startsWith("Connected to");
  await page.waitForFunction(says, undefined, { timeout: 10_000 });
}
