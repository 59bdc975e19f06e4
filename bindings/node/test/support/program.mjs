// A program of its own, to see how it ends.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const PACKAGE = fileURLToPath(new URL("../..", import.meta.url));

/** Runs the text of a module, and returns its status, or the signal that ended it, and what it wrote. */
export async function run(source, { args = [], env = {}, limit = 30_000, onLine = () => {} } = {}) {
  const child = spawn(process.execPath, [...args, "--input-type=module", "--eval", source], {
    cwd: PACKAGE,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const begin = Date.now();
  let [out, err] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text) => {
    out += text;
    for (const line of text.split("\n").filter(Boolean)) onLine(line, child);
  });
  child.stderr.setEncoding("utf8").on("data", (text) => (err += text));
  const late = setTimeout(() => child.kill("SIGKILL"), limit);
  const [status, signal] = await once(child, "close");
  clearTimeout(late);
  return { ended: signal ?? status, out: out.trim(), err: err.trim(), seconds: (Date.now() - begin) / 1000 };
}
