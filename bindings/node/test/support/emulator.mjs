// `consolepass emulate` as a child process: the hypervisor of these tests.

import { fileURLToPath } from "node:url";
import { start, until } from "../../../../tests/e2e/demo/child.mjs";

export const PROGRAM =
  process.env.CONSOLEPASS_PROGRAM ?? fileURLToPath(new URL("../../../../target/debug/consolepass", import.meta.url));

export const TOKEN_ID = "portal@pve!console";
export const TOKEN_SECRET = "f3b0c1de-0d52-4a43-9a1e-6a55a1f4a001";
export const USER = "portal@pve";
export const PASSWORD = "correct horse battery staple";

/** An emulated Proxmox VE with a token and a user; both may open every console. */
export function startProxmox({ guests = ["qemu/101=screen"], args = [] } = {}) {
  const accounts = ["--token", TOKEN_ID, "--user", USER];
  const times = ["--unauthorized-delay", "0.1", "--banner-delay", "0.05"];
  return startDouble(["proxmox", ...accounts, ...times, ...guests.flatMap((guest) => ["--guest", guest]), ...args]);
}

/** The exchanges of a vector. */
export function startScript(file, name) {
  return startDouble(["script", file, "--name", name]);
}

async function startDouble(args) {
  let said;
  const child = start(PROGRAM, ["emulate", ...args, "--json"], {
    env: { CONSOLEPASS_EMULATE_TOKEN_SECRET: TOKEN_SECRET, CONSOLEPASS_EMULATE_PASSWORD: PASSWORD },
    onLine: (line) => (said ??= JSON.parse(line)),
  });
  const early = child.ended.then((why) => Promise.reject(new Error(why)));
  early.catch(() => {});
  await Promise.race([until("the double", () => said), early]);
  const { address, fingerprint } = said;
  return {
    address,
    fingerprint,
    child,
    stop: child.stop,
    /** Options of a backend that logs in with the token. */
    token: { host: address, fingerprint, tokenId: TOKEN_ID, tokenSecret: TOKEN_SECRET },
    /** Options of a backend that logs in with the password. */
    password: { host: address, fingerprint, username: USER, password: PASSWORD },
    [Symbol.asyncDispose]: child.stop,
  };
}
