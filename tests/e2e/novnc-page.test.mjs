// Debian's noVNC 1.3.0, as it is installed, opens our links: the websocket that it asks for holds the hypervisor's ticket,
// and the answer to the challenge is that of the hypervisor's password.

import assert from "node:assert/strict";
import { test } from "node:test";
import { connected, withHypervisor } from "./novnc/harness.mjs";
import { randomTicket, randomTicketWithSpace } from "./novnc/tickets.mjs";

// For each of the two pages.
const TICKETS = 16;
const TICKETS_WITH_SPACE = 4;
const PATH = "/api2/json/nodes/pve1/qemu/101/vncwebsocket";

for (const name of ["vnc.html", "vnc_lite.html"]) {
  test(`${name} opens the websocket with the ticket and sends the password`, async () => {
    const opened = Array.from({ length: TICKETS }, randomTicket);
    const unreal = Array.from({ length: TICKETS_WITH_SPACE }, randomTicketWithSpace);
    await withHypervisor(name, opened, async ({ hypervisor, makers, wanted, page }) => {
      const options = { ...wanted.options, with_password: "true" };
      const links = [
        ...(await makers.openAndLink(opened.map(() => ({ ...wanted, options })))),
        ...(await makers.linkAnyTicket(unreal.map((ticket) => ({ ...wanted, ...ticket, version: options.version })))),
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
}

// `encodeURIComponent` would leave ! ' ( ) and * as they are.
function strictly(byte) {
  const character = String.fromCharCode(byte);
  return /[A-Za-z0-9\-._~]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
}
