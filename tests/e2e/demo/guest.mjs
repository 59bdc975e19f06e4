// The guest: QEMU with our boot sector, which shows every key on its screen and says it on its serial port.

import { readFile } from "node:fs/promises";
import { createConnection } from "node:net";
import { access } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { start, until } from "./child.mjs";

const IMAGE = process.env.CONSOLEPASS_GUEST_IMAGE ?? fileURLToPath(new URL("../../../target/guest/boot.img", import.meta.url));

export class Guest {
  #child;
  #folder;

  static async start(folder) {
    const guest = new Guest();
    guest.#folder = folder;
    guest.#child = start("qemu-system-x86_64", [
      "-display", "none",
      "-vnc", `unix:${guest.screen}`,
      "-drive", `file=${IMAGE},format=raw,snapshot=on`,
      "-serial", `file:${guest.#path("serial")}`,
      "-qmp", `unix:${guest.#path("qmp")},server=on,wait=off`,
      "-m", "16",
    ]);
    const up = until("the guest's screen", () => access(guest.screen).then(() => true, () => false));
    const early = guest.#child.ended.then((why) => Promise.reject(new Error(why)));
    await Promise.race([up, early]);
    early.catch(() => {});
    return guest;
  }

  get ended() {
    return this.#child.ended;
  }

  /** The unix socket of its RFB server. */
  get screen() {
    return this.#path("vnc");
  }

  /** Everything that was typed, as the guest's serial port has it. */
  async serial() {
    return (await readFile(this.#path("serial"), "latin1")).replaceAll("\r", "");
  }

  /** The screen as QEMU itself sees it: width, height and RGB bytes. */
  async picture() {
    const file = this.#path("screen.ppm");
    await this.#qmp({ execute: "screendump", arguments: { filename: file } });
    const ppm = await readFile(file);
    const head = /^P6\s+(\d+)\s+(\d+)\s+255\s/.exec(ppm.subarray(0, 40).toString("latin1"));
    return { width: Number(head[1]), height: Number(head[2]), rgb: ppm.subarray(head[0].length) };
  }

  stop() {
    return this.#child.stop();
  }

  #path(name) {
    return join(this.#folder, name);
  }

  #qmp(command) {
    return new Promise((resolve, reject) => {
      const socket = createConnection(this.#path("qmp"));
      const requests = [{ execute: "qmp_capabilities" }, command];
      let rest = "";
      socket.once("error", reject);
      socket.setEncoding("utf8").on("data", (text) => {
        const lines = (rest + text).split("\n");
        rest = lines.pop();
        for (const message of lines.filter(Boolean).map((line) => JSON.parse(line))) {
          if (message.error) reject(new Error(`QEMU: ${message.error.desc}`));
          if (message.event !== undefined) continue;
          const next = requests.shift();
          if (next !== undefined) socket.write(`${JSON.stringify(next)}\n`);
          else resolve(socket.end());
        }
      });
    });
  }
}
