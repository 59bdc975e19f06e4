// `make demo`: a real guest in QEMU, the emulated hypervisor before it, our relay, and one link.
// `make demo CHECK=1`: the same, and then a browser opens the link and everything that must hold is looked at.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Demo } from "./demo/demo.mjs";
import { Guest } from "./demo/guest.mjs";

// Before anything is started, so that nothing is left behind whenever the signal comes.
const interrupted = new Promise((resolve) => {
  process.once("SIGINT", resolve);
  process.once("SIGTERM", resolve);
});
const check = process.argv.includes("--check");
const folder = await mkdtemp(join(tmpdir(), "consolepass-demo-"));
const started = [];
try {
  const guest = await Guest.start(folder);
  started.push(guest);
  const demo = await Demo.start(folder, guest);
  started.push(demo);
  if (check) {
    const { runChecks } = await import("./demo/checks.mjs");
    const stopped = interrupted.then(() => Promise.reject(new Error("interrupted")));
    process.exitCode = (await Promise.race([runChecks(guest, demo), stopped])) ? 0 : 1;
    stopped.catch(() => {});
  } else {
    console.log(`\nOpen this link; it works once and for five minutes:\n\n  ${demo.viewerUrl}\n\nCtrl-C ends everything.`);
    await Promise.race([interrupted, demo.ended, guest.ended]);
  }
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
} finally {
  // The last that was started ends first.
  for (const child of started.reverse()) await child.stop();
  await rm(folder, { recursive: true, force: true });
}
