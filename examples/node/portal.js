// A customer portal with a console button.

import { createServer } from "node:http";
import { ConsolepassError, Proxmox, Relay } from "consolepass";

const { PORTAL_LISTEN = "127.0.0.1:8080", PVE_HOST, PVE_TOKEN_ID, PVE_TOKEN_SECRET, PVE_FINGERPRINT } = process.env;
const [host, port] = PORTAL_LISTEN.split(":");

// Who owns which machine. A real portal asks its database, and knows the customer by a session cookie.
const CUSTOMER = "customer-42";
const MACHINES = { "web server": "qemu/101", database: "lxc/200" };

const pve = new Proxmox({
  host: PVE_HOST,
  tokenId: PVE_TOKEN_ID,
  tokenSecret: PVE_TOKEN_SECRET,
  fingerprint: PVE_FINGERPRINT,
});
const relay = new Relay({ backends: { dc1: pve }, publicUrl: `http://${PORTAL_LISTEN}/console` });
relay.on("ended", ({ reference, user, machine, code }) => console.log(`console ${reference} of ${user} on ${machine}: ${code}`));

const server = createServer(async (req, res) => {
  const { pathname } = new URL(req.url, `http://${PORTAL_LISTEN}`);
  if (pathname === "/") return page(res, 200, machines());
  // A POST, so that no prefetch and no link of somebody else's issues a pass.
  if (req.method === "POST" && pathname.startsWith("/open/")) return open(res, pathname.slice("/open/".length));
  if (pathname === "/console" || pathname.startsWith("/console/")) return relay.handleRequest(req, res);
  page(res, 404, "There is nothing here.");
});

server.on("upgrade", (req, socket, head) => {
  // The portal's other websockets would be told apart here.
  if (req.url.startsWith("/console/")) relay.handleUpgrade(req, socket, head);
  else socket.destroy();
});

/** The click: is the machine the customer's, then a pass, then the viewer. */
async function open(res, machine) {
  if (!Object.values(MACHINES).includes(machine)) return page(res, 403, "This machine is not yours.");
  try {
    const pass = await relay.issue("dc1", machine, { user: CUSTOMER });
    res.writeHead(303, { location: pass.viewerUrl }).end();
  } catch (error) {
    // The error's own words are for the log; the customer gets its sentence.
    console.error(error);
    page(res, 502, error instanceof ConsolepassError ? error.sentence : "Something went wrong.");
  }
}

function machines() {
  const row = ([name, machine]) =>
    `<li>${name} <form method=post action="/open/${machine}"><button>Console</button></form></li>`;
  return `<h1>Your machines</h1><ul>${Object.entries(MACHINES).map(row).join("")}</ul>`;
}

function page(res, status, body) {
  res.writeHead(status, { "content-type": "text/html; charset=utf-8" });
  res.end(`<!doctype html><html lang=en><title>Portal</title>${body}</html>`);
}

server.listen(Number(port), host);
process.once("SIGTERM", async () => {
  server.close();
  // Every browser hears why its console ends.
  await relay.stop();
});
