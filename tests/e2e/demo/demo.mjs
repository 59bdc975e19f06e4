// `consolepass demo`: the emulated hypervisor and the relay, in one process.

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { start } from "./child.mjs";

const PROGRAM = process.env.CONSOLEPASS_PROGRAM ?? fileURLToPath(new URL("../../../target/debug/consolepass", import.meta.url));

export class Demo {
  #child;
  #secretsFile;

  static async start(folder, guest) {
    const demo = new Demo();
    demo.#secretsFile = join(folder, "secrets");
    const args = ["demo", "--json", "--guest", `unix:${guest.screen}`, "--secrets-file", demo.#secretsFile];
    const ready = new Promise((resolve) => {
      // The log is at its most talkative, as what it must not say is searched for in it.
      const env = { CONSOLEPASS_LOG: "trace" };
      demo.#child = start(PROGRAM, args, { env, onLine: (line) => resolve(JSON.parse(line)) });
    });
    const early = demo.#child.ended.then((why) => Promise.reject(new Error(why)));
    const link = await Promise.race([ready, early]);
    early.catch(() => {});
    if (link.error) throw new Error(link.error.message);
    demo.viewerUrl = link.viewer_url;
    demo.reference = link.reference;
    return demo;
  }

  get ended() {
    return this.#child.ended;
  }

  get log() {
    return this.#child.errors;
  }

  stop() {
    return this.#child.stop();
  }

  /** Every secret that was in play; known once it has stopped. */
  async secrets() {
    const text = await readFile(this.#secretsFile, "utf8");
    return text.split("\n").filter(Boolean);
  }
}
