// Links made by the library.

import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const MANIFEST = ["--manifest-path", fileURLToPath(new URL("../../../crates/core/Cargo.toml", import.meta.url))];
const PRINTER = "links::tests::printer::a_ticket_with_a_space_is_linked_like_any_other";
const ACCOUNT = { PVE_TOKEN_ID: "portal@pve!console", PVE_TOKEN_SECRET: "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0" };

/** What makes the links, built once, so that no test waits for a compiler. */
export class LinkMakers {
  #program;
  #tests;

  static async build() {
    const makers = new LinkMakers();
    makers.#program = await executable("build", "--example", "novnc_link");
    makers.#tests = await executable("test", "--lib", "--no-run");
    return makers;
  }

  /**
   * As a program would: opens a console at the test's hypervisor and links it.
   * @param {{ host: string, fingerprint: string, machine: string, page: string, options: Record<string, string> }[]} wanted
   * @returns {Promise<string[]>} one link for each
   */
  openAndLink(wanted) {
    return links(this.#program, [], ACCOUNT, wanted);
  }

  /**
   * For tickets that no hypervisor gives, so that no driver would pass them on; always with the password.
   * @param {{ host: string, ticket: string, password: string, page: string, version: string }[]} wanted
   * @returns {Promise<string[]>} one link for each
   */
  linkAnyTicket(wanted) {
    return links(this.#tests, ["--exact", "--nocapture", PRINTER], { CONSOLEPASS_LINKS_WANTED: lines(wanted) }, wanted);
  }
}

async function executable(...cargo) {
  const { stdout } = await promisify(execFile)("cargo", [...cargo, ...MANIFEST, "--message-format=json"], { maxBuffer: 2 ** 27 });
  const messages = stdout.split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
  return messages.findLast((message) => message.executable).executable;
}

async function links(program, parameters, environment, wanted) {
  const running = promisify(execFile)(program, parameters, { env: { ...process.env, ...environment } });
  running.child.stdin.end(lines(wanted));
  const { stdout } = await running;
  // A test's own words stand around its links.
  const made = stdout.match(/\{"novnc_url":.*\}/g)?.map((line) => JSON.parse(line).novnc_url) ?? [];
  if (made.length !== wanted.length) throw new Error(`${made.length} of ${wanted.length} links were made`);
  return made;
}

function lines(wanted) {
  return wanted.map((one) => JSON.stringify(one)).join("\n");
}
