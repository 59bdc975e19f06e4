// Links made by the library.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const MANIFEST = fileURLToPath(new URL("../../../crates/core/Cargo.toml", import.meta.url));
const PRINTER = "links::tests::printer::prints_a_link_for_each_line_of_stdin";

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
export function linkAnyTicket(wanted) {
  const test = ["test", "--quiet", "--manifest-path", MANIFEST, "--lib", "--", "--ignored", "--exact", "--nocapture", PRINTER];
  return ask(test, wanted);
}

async function ask(cargo, wanted) {
  const account = { PVE_TOKEN_ID: "portal@pve!console", PVE_TOKEN_SECRET: "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0" };
  const child = spawn("cargo", cargo, { env: { ...process.env, ...account }, stdio: ["pipe", "pipe", "inherit"] });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text) => (output += text));
  child.stdin.end(wanted.map((one) => JSON.stringify(one)).join("\n"));
  const [code] = await once(child, "close");
  // The test's own words stand around the links.
  const links = output.match(/\{"novnc_url":.*\}/g)?.map((line) => JSON.parse(line).novnc_url) ?? [];
  if (code !== 0 || links.length !== wanted.length) throw new Error(`${links.length} of ${wanted.length} links were made (exit ${code})`);
  return links;
}
