// One face's figures, in Node: see run.py.

import { readFileSync } from "node:fs";

const { env } = process;
const { Issuer, Proxmox, Relay } = await import(env.CONSOLEPASS_NODE);
const MACHINE = "pve1/qemu/101";

const proxmox = () =>
  new Proxmox({
    host: env.PVE_HOST,
    fingerprint: env.PVE_FINGERPRINT,
    tokenId: env.PVE_TOKEN_ID,
    tokenSecret: env.PVE_TOKEN_SECRET,
  });

const measurements = {
  /** Microseconds of each `open` by a backend of its own. */
  async fresh(count) {
    const found = [];
    for (let number = 0; number < count; number++) {
      const begin = performance.now();
      await proxmox().open(MACHINE);
      found.push((performance.now() - begin) * 1e3);
    }
    return found;
  },

  /** Resident KiB after a tenth, and after all. */
  async open(count) {
    const backend = proxmox();
    let first = 0;
    for (let number = 0; number < count; number++) {
      await backend.open(MACHINE);
      if (number === Math.floor(count / 10)) first = resident();
    }
    return { first, last: resident() };
  },

  /** Microseconds of each pass. */
  async issue(count) {
    const place = { publicUrl: "https://portal.example.com/console" };
    const issuer = new Issuer({ passKeyFile: env.PASS_KEY_FILE, ...place });
    const relay = new Relay({ backends: { dc1: proxmox() }, ...place });
    const found = {};
    for (const [name, what] of Object.entries({ signed: issuer, opaque: relay })) {
      const begin = performance.now();
      for (let number = 0; number < count; number++) await what.issue("dc1", MACHINE, { user: "42" });
      found[name] = ((performance.now() - begin) * 1e3) / count;
    }
    return found;
  },
};

function resident() {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync("/proc/self/status", "utf8"))[1]);
}

const [what, count] = process.argv.slice(2);
console.log(JSON.stringify(await measurements[what](Number(count))));
