// `make demo` ended from outside: everything that it started is gone, and so are its files.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { until } from "./demo/child.mjs";

const DEMO = fileURLToPath(new URL("./demo.mjs", import.meta.url));

/** How long everything may take to end: a child that does not is killed after five seconds. */
const PATIENCE = 15_000;

/** Every process that came of `pid`, by its id and the moment of its start: an id alone may be given to another. */
async function descendants(pid) {
  const processes = [];
  for (const entry of await readdir("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    // It may end while it is looked at.
    const stat = await readFile(`/proc/${entry}/stat`, "utf8").catch(() => undefined);
    if (stat === undefined) continue;
    const name = stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")"));
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    processes.push({ pid: Number(entry), name, state: fields[0], parent: Number(fields[1]), since: fields[19] });
  }
  const found = [];
  const below = (parent) => {
    for (const child of processes.filter((one) => one.parent === parent)) {
      found.push(child);
      below(child.pid);
    }
  };
  below(pid);
  return found;
}

async function isAlive({ pid, since }) {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  if (stat === undefined) return false;
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  // A zombie has ended; whoever adopted it has not looked yet.
  return fields[0] !== "Z" && fields[19] === since;
}

/** Starts the demo, waits for a line that says `ready`, ends it with `signal`, and returns what was there and what is left. */
async function endedBy(signal, args, ready) {
  const folder = await mkdtemp(join(tmpdir(), "consolepass-demo-test-"));
  const demo = spawn(process.execPath, [DEMO, ...args], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let said = "";
  for (const stream of [demo.stdout, demo.stderr]) stream.setEncoding("utf8").on("data", (text) => (said += text));
  const ended = new Promise((resolve) => demo.once("close", (code) => resolve(code)));
  let started = [];
  try {
    await until(`the demo says ${ready}: ${said}`, () => ready.test(said) || demo.exitCode !== null, 60_000);
    assert.match(said, ready);
    started = await descendants(demo.pid);
    const files = await readdir(folder);

    demo.kill(signal);

    const late = new Promise((resolve) => setTimeout(resolve, PATIENCE, "late").unref());
    const code = await Promise.race([ended, late]);
    const alive = [];
    for (const child of started) if (await isAlive(child)) alive.push(child.name);
    return { code, said, names: started.map(({ name }) => name), alive, files, left: await readdir(folder) };
  } finally {
    // What this test is about may have gone wrong.
    demo.kill("SIGKILL");
    for (const child of started) if (await isAlive(child)) process.kill(child.pid, "SIGKILL");
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

for (const signal of ["SIGTERM", "SIGINT"]) {
  test(`${signal} ends everything that the demo started`, async () => {
    const { code, said, names, alive, files, left } = await endedBy(signal, [], /Ctrl-C ends everything/);

    assert.ok(names.includes("consolepass") && names.some((name) => name.startsWith("qemu")), names.join(" "));
    assert.ok(files.length > 0, "it keeps its files where it is told to");
    assert.equal(code, 0, said);
    assert.deepEqual(alive, []);
    assert.deepEqual(left, []);
  });
}

test("SIGTERM in the middle of the checks ends the browser as well", async () => {
  const { code, said, names, alive, left } = await endedBy("SIGTERM", ["--check"], /ok {6}the link opens the viewer/);

  assert.ok(names.some((name) => name.startsWith("chrom")), names.join(" "));
  assert.equal(code, 1, said);
  assert.match(said, /interrupted/);
  assert.deepEqual(alive, []);
  assert.deepEqual(left, []);
});
