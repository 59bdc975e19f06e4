// Links made by the library.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const MANIFEST = fileURLToPath(new URL("../../../crates/core/Cargo.toml", import.meta.url));
const PRINTER = "links::tests::printer::a_link_is_printed_for_each_wish";

/**
 * As a program would: opens a console at the test's hypervisor and links it.
 * @param {{ host: string, fingerprint: string, machine: string, page: string, options: Record<string, string> }[]} wanted
 * @returns {Promise<string[]>} one link for each
 */
export function openAndLink(wanted) {
  return ask(["run", "--quiet", "--manifest-path", MANIFEST, "--example", "novnc_link"], wanted);
}

/**
 * For tickets that no hypervisor gives, so that no driver would pass them on.
 * @param {{ host: string, ticket: string, password: string, page: string, options: Record<string, string> }[]} wanted
 * @returns {Promise<string[]>} one link for each
 */
export async function linkAnyTicket(wanted) {
  const folder = await mkdtemp(join(tmpdir(), "consolepass-links-"));
  try {
    const wishes = join(folder, "wishes");
    await writeFile(wishes, wanted.map((one) => JSON.stringify(one)).join("\n"));
    const test = ["test", "--quiet", "--manifest-path", MANIFEST, "--lib", "--", "--exact", "--nocapture", PRINTER];
    return await ask(test, wanted, { CONSOLEPASS_LINK_WISHES: wishes });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function ask(cargo, wanted, env = {}) {
  const account = { PVE_TOKEN_ID: "portal@pve!console", PVE_TOKEN_SECRET: "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0" };
  const child = spawn("cargo", cargo, { env: { ...process.env, ...account, ...env }, stdio: ["pipe", "pipe", "inherit"] });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text) => (output += text));
  child.stdin.end(wanted.map((one) => JSON.stringify(one)).join("\n"));
  const [code] = await once(child, "close");
  // The test's own words stand around the links.
  const links = output.match(/\{"novnc_url":.*\}/g)?.map((line) => JSON.parse(line).novnc_url) ?? [];
  if (code !== 0 || links.length !== wanted.length) throw new Error(`${links.length} of ${wanted.length} links were made (exit ${code})`);
  return links;
}
