// Debian's noVNC 1.3.0, as it is installed, opens our links: the websocket that it asks for holds the hypervisor's ticket,
// and the answer to the challenge is that of the hypervisor's password.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { chromium } from "playwright-core";
import { Hypervisor } from "./novnc/hypervisor.mjs";
import { makeIdentity } from "./novnc/identity.mjs";
import { linkAnyTicket, openAndLink } from "./novnc/links.mjs";
import { randomTicket, randomTicketWithSpace } from "./novnc/tickets.mjs";

const TICKETS = 24;
const TICKETS_WITH_SPACE = 8;
const PATH = "/api2/json/nodes/pve1/qemu/101/vncwebsocket";

let browser;
let identity;
before(async () => {
  identity = await makeIdentity();
  browser = await chromium.launch({
    executablePath: process.env.CONSOLEPASS_CHROMIUM ?? "/usr/bin/chromium",
    args: ["--no-sandbox", "--disable-gpu"],
  });
});
after(() => browser?.close());

for (const name of ["vnc.html", "vnc_lite.html"]) {
  test(`${name} opens the websocket with the ticket and sends the password`, async () => {
    const opened = Array.from({ length: TICKETS }, randomTicket);
    const unreal = Array.from({ length: TICKETS_WITH_SPACE }, randomTicketWithSpace);
    await withHypervisor(name, opened, async ({ hypervisor, wanted, page }) => {
      const options = { ...wanted.options, password: "true" };
      const links = [
        ...(await openAndLink(opened.map(() => ({ ...wanted, options })))),
        ...(await linkAnyTicket(unreal.map((ticket) => ({ ...wanted, ...ticket, options })))),
      ];
      for (const [index, { ticket, password }] of [...opened, ...unreal].entries()) {
        const session = hypervisor.session();
        // A page that differs in its fragment alone would not be loaded anew.
        await page.goto("about:blank");
        await page.goto(links[index]);
        const { line, origin, isRight } = await session;

        assert.equal(line, `GET ${PATH}?port=5900&vncticket=${[...Buffer.from(ticket)].map(strictly).join("")}`);
        assert.equal(origin, `https://${hypervisor.authority}`);
        assert.ok(isRight(password), `the password ${JSON.stringify(password)} did not arrive`);
        assert.ok(!isRight(`${password.slice(0, 7)}~`), "the check takes another password");
      }
      assert.equal(hypervisor.sessions.length, links.length);
      await connected(page);
      if (process.env.CONSOLEPASS_SCREENSHOTS) {
        await page.screenshot({ path: `${process.env.CONSOLEPASS_SCREENSHOTS}/novnc-${name}.png` });
      }
    });
  });

  test(`${name} without a password in its link asks for one`, async () => {
    await withHypervisor(name, [randomTicket()], async ({ hypervisor, wanted, page }) => {
      const [link] = await openAndLink([wanted]);
      const asked =
        name === "vnc.html"
          ? page.waitForSelector("#noVNC_credentials_dlg.noVNC_open", { timeout: 10_000 })
          : page.waitForEvent("dialog", { timeout: 10_000 }).then((dialog) => dialog.dismiss());
      await page.goto(link);

      await asked;
      assert.equal(hypervisor.sessions.length, 1);
    });
  });
}

for (const [name, viewOnly] of [["vnc.html", true], ["vnc.html", false], ["vnc_lite.html", true], ["vnc_lite.html", false]]) {
  test(`${name} with view_only ${viewOnly} ${viewOnly ? "keeps keys to itself" : "sends keys"}`, async () => {
    await withHypervisor(name, [randomTicket()], async ({ hypervisor, wanted, page }) => {
      const options = { ...wanted.options, password: "true", view_only: String(viewOnly) };
      const [link] = await openAndLink([{ ...wanted, options }]);
      const session = hypervisor.session();
      await page.goto(link);
      const { screen, echo } = await session;
      await connected(page);
      // The page has asked for its first picture by then, so that each later request is the answer to a picture.
      await page.locator("canvas").last().click();

      await page.keyboard.press("x");
      await echo();

      if (viewOnly) assert.deepEqual(screen.keys, []);
      else await screen.until(({ typed }) => typed === "x");
    });
  });
}

test("a browser that remembers other settings still goes where the link says", async () => {
  await withHypervisor("vnc.html", [randomTicket()], async ({ hypervisor, wanted, page }) => {
    const [link] = await openAndLink([{ ...wanted, options: { ...wanted.options, password: "true" } }]);
    await page.goto(`https://${hypervisor.authority}/novnc/vnc.html`);
    await page.evaluate(() => {
      const remembered = { host: "192.0.2.1", port: "1", encrypt: "false", path: "elsewhere", view_only: "true", reconnect: "true" };
      for (const [name, value] of Object.entries(remembered)) localStorage.setItem(name, value);
    });

    const session = hypervisor.session();
    await page.goto("about:blank");
    await page.goto(link);

    assert.match((await session).line, /vncwebsocket\?port=5900&vncticket=/);
  });
});

/** A hypervisor with these tickets, what the library needs to link its page, and a tab that trusts it. */
async function withHypervisor(name, tickets, body) {
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
    await body({ hypervisor, wanted, page: await context.newPage() });
  } finally {
    await context.close();
    await hypervisor.close();
  }
}

/** Waits until the page says that it shows a screen. */
async function connected(page) {
  const says = () =>
    document.documentElement.classList.contains("noVNC_connected") ||
    document.getElementById("status")?.textContent.startsWith("Connected to");
  await page.waitForFunction(says, undefined, { timeout: 10_000 });
}

// `encodeURIComponent` would leave ! ' ( ) and * as they are.
function strictly(byte) {
  const character = String.fromCharCode(byte);
  return /[A-Za-z0-9\-._~]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
}
