// Debian's noVNC 1.3.0 takes its settings from our links: it asks for a password that is not there, keeps keys back when told
// to, and forgets what it remembered.

import assert from "node:assert/strict";
import { test } from "node:test";
import { connected, withHypervisor } from "./novnc/harness.mjs";
import { randomTicket } from "./novnc/tickets.mjs";

for (const name of ["vnc.html", "vnc_lite.html"]) {
  test(`${name} without a password in its link asks for one`, async () => {
    await withHypervisor(name, [randomTicket()], async ({ hypervisor, makers, wanted, page }) => {
      const [link] = await makers.openAndLink([wanted]);
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
    await withHypervisor(name, [randomTicket()], async ({ hypervisor, makers, wanted, page }) => {
      const options = { ...wanted.options, with_password: "true", view_only: String(viewOnly) };
      const [link] = await makers.openAndLink([{ ...wanted, options }]);
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
  await withHypervisor("vnc.html", [randomTicket()], async ({ hypervisor, makers, wanted, page }) => {
    const [link] = await makers.openAndLink([{ ...wanted, options: { ...wanted.options, with_password: "true" } }]);
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
