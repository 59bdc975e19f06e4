// Links made by the library.

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const MANIFEST = ["--quiet", "--manifest-path", fileURLToPath(new URL("../../../crates/core/Cargo.toml", import.meta.url))];
const PRINTER = "links::tests::printer::a_ticket_with_a_space_is_linked_like_any_other";
const ACCOUNT = { PVE_TOKEN_ID: "portal@pve!console", PVE_TOKEN_SECRET: "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0" };

/** Builds what makes the links, so that no test waits for a compiler. */
export async function buildLinkMakers() {
  await promisify(execFile)("cargo", ["build", ...MANIFEST, "--example", "novnc_link"]);
  await promisify(execFile)("cargo", ["test", ...MANIFEST, "--lib", "--no-run"]);
}

/**
 * As a program would: opens a console at the test's hypervisor and links it.
 * @param {{ host: string, fingerprint: string, machine: string, page: string, options: Record<string, string> }[]} wanted
 * @returns {Promise<string[]>} one link for each
 */
export function openAndLink(wanted) {
  return ask(["run", ...MANIFEST, "--example", "novnc_link"], ACCOUNT, wanted);
}

/**
 * For tickets that no hypervisor gives, so that no driver would pass them on; always with the password.
 * @param {{ host: string, ticket: string, password: string, page: string, version: string }[]} wanted
 * @returns {Promise<string[]>} one link for each
 */
export function linkAnyTicket(wanted) {
  const environment = { CONSOLEPASS_LINKS_WANTED: lines(wanted) };
  return ask(["test", ...MANIFEST, "--lib", "--", "--exact", "--nocapture", PRINTER], environment, wanted);
}

async function ask(cargo, environment, wanted) {
  const running = promisify(execFile)("cargo", cargo, { env: { ...process.env, ...environment } });
  running.child.stdin.end(lines(wanted));
  const { stdout } = await running;
  // A test's own words stand around its links.
  const links = stdout.match(/\{"novnc_url":.*\}/g)?.map((line) => JSON.parse(line).novnc_url) ?? [];
  if (links.length !== wanted.length) throw new Error(`${links.length} of ${wanted.length} links were made`);
  return links;
}

function lines(wanted) {
  return wanted.map((one) => JSON.stringify(one)).join("\n");
}
