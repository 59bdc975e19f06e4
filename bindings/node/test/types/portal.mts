// Compiled, and not run: what a portal in TypeScript writes, and what it must not.

import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { Console, ConsolepassError, Issuer, Pass, Proxmox, Relay, Vnc, codes, log, version } from "consolepass";
import type { Backend, Code, EndedEvent, LogLine, RelayOptions } from "consolepass";

const pve = new Proxmox({ host: ["pve1", "pve2"], tokenId: "portal@pve!console", tokenSecret: process.env["SECRET"], timeout: 5 });
const desk: Backend = new Vnc({ host: "unix:/run/vm.sock" });

const opened: Console = await pve.open("qemu/101", { kind: "vnc", signal: AbortSignal.timeout(5000) });
const headers: Record<string, string> = opened.headers;
const { url, password } = opened.rfbParameters();
const left: number = opened.expiresAt.getTime() - Date.now();
const link: string = opened.novncUrl("https://pve1:8006/novnc/vnc.html", { viewOnly: true, resize: "off" });

const options: RelayOptions = { backends: { dc1: pve, desk }, publicUrl: "https://portal.example.com/console" };
await using relay = new Relay({ ...options, allowedOrigins: ["https://portal.example.com"], sessionMaxAge: 3600 });
relay
  .on("ended", (event) => {
    const ended: EndedEvent = event;
    const code: Code = event.code;
    console.log(ended.at.toISOString(), code, event.user ?? "nobody");
  })
  .once("lost", ({ count }) => console.log(count));
const before: string | undefined = relay.address;
// @ts-expect-error a relay that has not started has none
const listening: string = relay.address;
const address: string = await relay.unref().start();
const pass: Pass = await relay.issue("dc1", "qemu/101", { user: "42", ttl: 30 });
const found: boolean = await relay.revoke(pass);

const server = createServer((req, res) => relay.handleRequest(req, res));
server.on("upgrade", (req, socket, head) => relay.handleUpgrade(req, socket, head));
createSecureServer().on("upgrade", async (req, socket, head) => {
  socket.on("error", () => {});
  if ((await found) && req.headers.cookie) relay.handleUpgrade(req, socket, head);
});

const issuer = new Issuer({ publicUrl: "https://portal.example.com/console", passKeyFile: "pass.jwk" });
const signed = await issuer.issue("dc1", "101");

log.level = "debug";
log.on("log", (line: LogLine) => console.log(line.level, line.fields["reference"]));

try {
  await desk.open("desk-1");
} catch (error) {
  if (!(error instanceof ConsolepassError)) throw error;
  switch (error.code) {
    case "tls_untrusted":
      console.log(error.fingerprint?.length, error.httpStatus, codes[error.code].number);
      break;
    // @ts-expect-error no such code
    case "tls_unknown":
      break;
  }
}

// @ts-expect-error an option is spelt as in JavaScript
new Proxmox({ host: "pve", token_id: "portal@pve!console" });
// @ts-expect-error a number is no text
new Proxmox({ host: 7 });
// @ts-expect-error there is no relay without backends
new Relay({ publicUrl: "https://portal.example.com" });
// @ts-expect-error consoles come from a backend
new Console();
// @ts-expect-error an unknown event
relay.on("close", () => {});
// @ts-expect-error not a kind of console
await pve.open("qemu/101", { kind: "telnet" });
// @ts-expect-error a secret is not written
opened.password = "hunter2";

export { address, before, found, headers, left, link, listening, password, server, signed, url, version };
