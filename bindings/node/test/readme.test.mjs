// The README's programs, run as they stand there, in a folder where the package was installed as npm packs it.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { until } from "../../../tests/e2e/demo/child.mjs";
import { openBrowser } from "../../../tests/e2e/browser.mjs";
import { freePort } from "../../../tests/e2e/relay_process.mjs";
import { Browser } from "./support/browser.mjs";

const run = promisify(execFile);
const PACKAGE = fileURLToPath(new URL("..", import.meta.url));
const TOKEN_SECRET = "8f2a6c1e-5b1d-4f0e-9c57-1f0c2d3e4b5a";

const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
const blocks = [...readme.matchAll(/```(\w+)\n([^]*?)```/g)].map(([, language, text]) => ({ language, text }));
const scripts = blocks.filter(({ language }) => language === "js").map(({ text }) => text);
/** What stands in a portal in place of one line. */
const waiting = scripts.find((text) => text.startsWith("server.on("));
const programs = scripts.filter((text) => text !== waiting);
const servers = programs.filter((text) => /listen\(/.test(text));
const commands = blocks.filter(({ language }) => language === "sh").map(({ text }) => text);

let folder;
let env;
let hypervisor;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "consolepass-readme-"));
  const modules = join(folder, "node_modules");
  env = { ...process.env, npm_config_update_notifier: "false" };
  await writeFile(join(folder, "package.json"), `{ "private": true }`);
  const { stdout } = await run("npm", ["pack", "--json", "--pack-destination", folder], { cwd: PACKAGE, env });
  const [{ filename }] = Object.values(JSON.parse(stdout)).flat();
  await run("npm", ["install", "--offline", "--no-audit", "--no-fund", join(folder, filename)], { cwd: folder, env });
  await mkdir(join(modules, "@types"));
  for (const name of ["express", "fastify", "proxmox-api", "@types/node"]) {
    await symlink(join(PACKAGE, "node_modules", name), join(modules, name));
  }
  const PVE_HOST = `127.0.0.1:${await freePort()}`;
  env.PVE_HOST = PVE_HOST;
  hypervisor = spawn("sh", ["-c", commands[1]], { cwd: folder, env, stdio: ["ignore", "pipe", "inherit"], detached: true });
  await until("the emulated hypervisor", () => readFile(join(folder, "ca.pem")).catch(() => undefined));
  env.PVE_TOKEN_SECRET = TOKEN_SECRET;
});
after(async () => {
  // With what npx has started.
  if (hypervisor) process.kill(-hypervisor.pid, "SIGTERM");
  await rm(folder, { recursive: true });
});

/** Runs a program that serves, for as long as `body` takes. */
async function serving(text, body, more = {}) {
  const file = join(folder, "portal.mjs");
  await writeFile(file, text);
  const PORT = String(await freePort());
  const child = spawn(process.execPath, [file], { cwd: folder, env: { ...env, ...more, PORT, PORTAL_LISTEN: `127.0.0.1:${PORT}` }, stdio: ["ignore", "inherit", "inherit"] });
  const url = `http://127.0.0.1:${PORT}/`;
  try {
    await until("the portal", () => fetch(url, { redirect: "manual" }).then(() => true, () => false));
    await body(url);
  } finally {
    child.kill();
  }
}

async function leadsToTheScreen(url, method = "GET") {
  const answer = await fetch(url, { method, redirect: "manual" });
  const viewer = new URL(answer.headers.get("location"));
  assert.equal((await fetch(viewer)).status, 200);
  const pass = viewer.hash.replace("#pass=", "");

  const browser = new Browser(`${viewer.origin.replace("http", "ws")}/console/ws?pass=${pass}`);
  const screen = await browser.logIn();

  assert.equal(screen.name, "consolepass demo screen");
  browser.end();
}

test("every block is run here or named", () => {
  assert.deepEqual([servers.length, programs.length, scripts.length, commands.length], [3, 7, 8, 2]);
  assert.equal(commands[0], "npm install consolepass\n");
  assert.ok(commands[1].includes(TOKEN_SECRET));
});

test("what npm installs has the command, both kinds of modules and the types", async () => {
  const { version, files, bin } = JSON.parse(await readFile(join(PACKAGE, "package.json"), "utf8"));
  const says = async (...command) => (await run(command[0], command.slice(1), { cwd: folder, env })).stdout.trim();
  const tsc = createRequire(import.meta.url).resolve("typescript/package.json").replace("package.json", "bin/tsc");
  await cp(join(PACKAGE, "test/types"), join(folder, "types"), { recursive: true });

  // npm packs it even so, and `tools/package.mjs` does not.
  for (const command of Object.values(bin)) assert.ok(files.includes(command.split("/")[0]), command);
  assert.equal(await says("npx", "--offline", "consolepass", "--version"), `consolepass ${version}`);
  assert.equal(await says(process.execPath, "--print", `require("consolepass").version`), version);
  const module = `import { version } from "consolepass"; console.log(version);`;
  assert.equal(await says(process.execPath, "--input-type=module", "--eval", module), version);
  await says(process.execPath, tsc, "--project", "types").catch(({ stdout }) => assert.fail(stdout));
});

test("the first portal shows a picture in a browser", async () => {
  await serving(servers[0], async (url) => {
    const browser = await openBrowser();
    try {
      const { page } = await browser.newPage();
      await page.goto(url);
      await page.waitForSelector('#state[data-state="connected"]', { timeout: 30_000 });
      await until("a picture of more than one colour", () =>
        page.evaluate(() => {
          const canvas = document.querySelector("#screen canvas");
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          const pixels = new Uint32Array(data.buffer);
          return pixels.some((pixel) => pixel !== pixels[0]);
        }),
      );
    } finally {
      await browser.close();
    }
  });
});

test("it has the ten lines that are promised, blanks and imports aside", () => {
  const lines = servers[0].split("\n").filter((line) => line !== "" && !line.startsWith("import "));

  assert.ok(lines.length <= 10, `${lines.length} lines`);
});

for (const [number, name] of ["node:http", "Express", "Fastify"].entries()) {
  test(`the portal with ${name} leads to the screen`, async () => {
    await serving(servers[number], (url) => leadsToTheScreen(url));
  });
}

test("a portal that waits before it hands over leads to the screen, and outlives a browser that resets meanwhile", async () => {
  const line = /^server\.on\("upgrade", .*\)(?=\.listen)/m;
  const portal = servers[0].replace(line, "server");
  assert.notEqual(portal, servers[0]);
  const text = `${portal}${waiting}
    let last;
    server.on("connection", (socket) => (last = socket));
    async function mayHaveConsoles(cookie) {
      if (cookie === "resets") await new Promise((resolve) => (last.once("close", resolve), last.write("reset now")));
      return true;
    }`;
  await serving(text, async (url) => {
    const { hostname, port } = new URL(url);
    const reset = connect(Number(port), hostname);
    reset.write("GET /console/ws HTTP/1.1\r\nHost: p\r\nCookie: resets\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    assert.equal(String((await once(reset, "data"))[0]), "reset now");

    reset.resetAndDestroy();

    await leadsToTheScreen(url);
  });
});

for (const text of programs.filter((text) => !servers.includes(text))) {
  const imports = /^import .*$/m.exec(text)[0];

  test(`the program that begins with ${imports} runs to its end`, async () => {
    const file = join(folder, "program.mjs");
    await writeFile(file, text);

    const { stdout } = await run(process.execPath, [file], { cwd: folder, env, timeout: 60_000 });

    if (text.includes("qemu/999")) assert.match(stdout, /machine_not_found[^]*the machine was not found/);
    else if (text.includes("console.log")) assert.match(stdout, /pve1\/qemu\/101/);
    else assert.equal(stdout, "");
  });
}

test("the example's own README has a hypervisor for each of its machines", async () => {
  const example = (name) => readFile(new URL(`../../../examples/node/${name}`, import.meta.url), "utf8");
  const [words, portal] = [await example("README.md"), await example("portal.js")];
  const command = [...words.matchAll(/^ {4}(export [^]*?)\n\n/gm)].map(([, text]) => text)[0];
  const PVE_HOST = `127.0.0.1:${await freePort()}`;
  const options = { cwd: folder, env, stdio: ["ignore", "pipe", "inherit"], detached: true };
  const emulated = spawn("sh", ["-c", command.replace("127.0.0.1:8006", PVE_HOST)], options);
  try {
    let said = "";
    emulated.stdout.setEncoding("utf8").on("data", (text) => (said += text));
    const [, fingerprint] = await until("its fingerprint", () => /^fingerprint +(\S+)$/m.exec(said));
    const [, tokenId] = /PVE_TOKEN_ID='([^']+)'/.exec(words);

    await serving(
      portal,
      async (url) => {
        for (const machine of ["qemu/101", "lxc/200"]) await leadsToTheScreen(new URL(`/open/${machine}`, url), "POST");
      },
      { PVE_HOST, PVE_TOKEN_ID: tokenId, PVE_FINGERPRINT: fingerprint },
    );
  } finally {
    if (emulated.exitCode === null) process.kill(-emulated.pid, "SIGTERM");
  }
});
