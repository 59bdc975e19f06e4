// `npx consolepass`: the command that Rust has, with the same outcomes.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { refusal } from "./support/browser.mjs";
import { PROGRAM, TOKEN_ID, TOKEN_SECRET, startProxmox } from "./support/emulator.mjs";

const PACKAGE = fileURLToPath(new URL("..", import.meta.url));

let folder;
before(async () => (folder = await mkdtemp(join(tmpdir(), "consolepass-node-"))));
after(() => rm(folder, { recursive: true }));

/** Runs the command as npx does, or the one of Rust; ended by `signal` as soon as it has said something. */
async function run(args, { program = "npx", input = "", signal, env = {} } = {}) {
  const [file, ...first] = program === "npx" ? [process.execPath, join(PACKAGE, "bin/consolepass.cjs")] : [program];
  const child = spawn(file, [...first, ...args], { env: { ...process.env, ...env } });
  let [out, err] = ["", ""];
  child.stdout.setEncoding("utf8").on("data", (text) => {
    out += text;
    if (signal && out.includes("\n")) setTimeout(async () => (await signal.before?.(out), child.kill(signal.name)), 50);
  });
  child.stderr.setEncoding("utf8").on("data", (text) => (err += text));
  // Who needs no input does not wait for it.
  child.stdin.on("error", () => {}).end(input);
  const [status, killed] = await once(child, "close");
  return { status: killed ?? status, out, err };
}

test("it says and returns what the program does", async () => {
  const commands = [
    ["--version"],
    ["--help"],
    ["relay", "--help"],
    [],
    ["nonsense"],
    ["open", "qemu/101"],
    ["open", "qemu/101", "--json"],
    ["open", "qemu/101", "--host", "127.0.0.1:1", "--token-id", TOKEN_ID, "--json"],
    ["relay", "--config", join(folder, "nothing.toml")],
  ];
  for (const command of commands) {
    const env = { CONSOLEPASS_TOKEN_SECRET: TOKEN_SECRET };
    const [ours, theirs] = await Promise.all([run(command, { env }), run(command, { env, program: PROGRAM })]);

    assert.deepEqual(ours, theirs, command.join(" "));
  }
});

test("npx finds it by its name", async () => {
  const child = spawn("npx", ["--no-install", "consolepass", "--version"], { cwd: PACKAGE, stdio: ["ignore", "pipe", "inherit"] });
  const parts = [];
  for await (const part of child.stdout) parts.push(part);

  const { version } = JSON.parse(await readFile(join(PACKAGE, "package.json"), "utf8"));
  assert.equal(String(Buffer.concat(parts)).trim(), `consolepass ${version}`);
});

test("a secret comes from standard input", async () => {
  const hypervisor = await startProxmox();
  try {
    const where = ["--host", hypervisor.address, "--fingerprint", hypervisor.fingerprint, "--token-id", TOKEN_ID];
    const { status, out } = await run(["open", "qemu/101", ...where, "--token-secret-file", "-", "--json"], { input: `${TOKEN_SECRET}\n` });

    assert.equal(status, 0, out);
    assert.equal(JSON.parse(out).machine, "pve1/qemu/101");
  } finally {
    await hypervisor.stop();
  }
});

for (const name of ["SIGINT", "SIGTERM"]) {
  test(`a relay ends in order at ${name}`, async () => {
    const config = join(folder, `${name}.toml`);
    await writeFile(config, `[relay]\nlisten = "127.0.0.1:0"\npublic_url = "http://p.test"\n[backend.desk]\ntype = "vnc"\nhost = "127.0.0.1:1"\n`);
    let told;
    // It serves until then.
    const before = async (out) => {
      const url = `ws://${JSON.parse(out).address}/ws?pass=nonsense`;
      ({ told } = await refusal(url, { origin: "http://p.test" }));
    };

    const { status, out, err } = await run(["relay", "--config", config, "--json"], { signal: { name, before } });

    assert.equal(status, 0, err);
    assert.equal(told, "pass_invalid");
    assert.deepEqual(Object.keys(JSON.parse(out)), ["address"]);
    assert.match(err, /relay stopping/);
  });
}
