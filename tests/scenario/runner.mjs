// The scenario in Node: see README.md.

import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { Proxmox, Relay } from "../../bindings/node/index.mjs";

const { env } = process;

/** What one step leaves to the next. */
class Portal {
  async log_in(step) {
    const account =
      step.with === "token"
        ? { tokenId: env.PVE_TOKEN_ID, tokenSecret: env.PVE_TOKEN_SECRET }
        : { username: env.PVE_USERNAME, password: env.PVE_PASSWORD };
    this.backend = new Proxmox({ host: env.PVE_HOST, fingerprint: env.PVE_FINGERPRINT, ...account });
    return {};
  }

  async open(step) {
    return { machine: (await this.backend.open(step.machine)).machine };
  }

  async issue(step) {
    const backends = { dc1: this.backend };
    this.relay = new Relay({ backends, listen: "127.0.0.1:0", publicUrl: "http://portal.test" });
    await this.relay.start();
    this.pass = await this.relay.issue("dc1", step.machine, { user: step.user, ttl: step.ttl });
    return {};
  }

  async type(step) {
    this.browser = new Browser("type", this.url, step.text);
    return this.browser.hear();
  }

  async be_refused() {
    return new Browser("refused", this.url).hear();
  }

  async stop() {
    await this.relay.stop();
    return this.browser.hear();
  }

  /** The pass's websocket, at the relay itself: there is no reverse proxy here. */
  get url() {
    return this.pass.url.replace("portal.test", this.relay.address);
  }
}

class Browser {
  #lines;

  constructor(...words) {
    const [program, ...first] = env.TYPIST.split(" ");
    const { stdout } = spawn(program, [...first, ...words], { stdio: ["ignore", "pipe", "inherit"] });
    this.#lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  }

  async hear() {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error("the browser said nothing");
    return JSON.parse(value);
  }
}

const portal = new Portal();
for (const step of JSON.parse(await readFile(env.SCENARIO, "utf8"))) {
  console.log(JSON.stringify({ do: step.do, ...(await portal[step.do](step)) }));
}
