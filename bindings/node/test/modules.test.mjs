// The package as programs find it: by import and by require, and by TypeScript.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import * as imported from "consolepass";

const run = promisify(execFile);
const PACKAGE = fileURLToPath(new URL("..", import.meta.url));
const required = createRequire(import.meta.url)("consolepass");

let folder;
before(async () => (folder = await mkdtemp(join(tmpdir(), "consolepass-node-"))));
after(() => rm(folder, { recursive: true }));

test("import and require give the same classes", () => {
  assert.deepEqual(Object.keys(imported).sort(), Object.keys(required).sort());
  for (const name of Object.keys(required)) assert.equal(imported[name], required[name], name);
});

test("the version is the package's", async () => {
  assert.equal(imported.version, JSON.parse(await readFile(join(PACKAGE, "package.json"), "utf8")).version);
});

test("a program elsewhere imports it, requires it, and finds nothing else in it", async () => {
  await mkdir(join(folder, "node_modules"), { recursive: true });
  await symlink(PACKAGE, join(folder, "node_modules/consolepass"));
  const programs = {
    "a.mjs": `import { Relay } from "consolepass"; import * as all from "consolepass"; console.log(typeof Relay, "default" in all);`,
    "b.cjs": `const { Relay } = require("consolepass"); console.log(typeof Relay);`,
    "c.cjs": `import("consolepass").then(({ Relay }) => console.log(Relay === require("consolepass").Relay));`,
    "d.cjs": `try { require("consolepass/lib/native.cjs") } catch (error) { console.log(error.code) }`,
  };
  const said = {};
  for (const [name, source] of Object.entries(programs)) {
    await writeFile(join(folder, name), source);
    said[name] = (await run(process.execPath, [join(folder, name)])).stdout.trim();
  }

  assert.deepEqual(said, {
    "a.mjs": "function false",
    "b.cjs": "function",
    "c.cjs": "true",
    "d.cjs": "ERR_PACKAGE_PATH_NOT_EXPORTED",
  });
});

test("the types hold for a program of TypeScript, in both kinds of modules", async () => {
  const tsc = createRequire(import.meta.url).resolve("typescript/package.json").replace("package.json", "bin/tsc");

  await run(process.execPath, [tsc, "--project", join(PACKAGE, "test/types")]).catch(({ stdout }) => assert.fail(stdout));
});

test("an addon that is not there, or of another kind, is said in words", async () => {
  const copy = join(folder, "copy");
  for (const part of ["index.cjs", "lib", "package.json"]) await cp(join(PACKAGE, part), join(copy, part), { recursive: true });
  const load = () => run(process.execPath, ["-e", `require(${JSON.stringify(copy)})`]).then(assert.fail, ({ stderr }) => stderr);

  assert.match(await load(), /Error: consolepass: .*native\.node cannot be loaded on linux-\w+, Node [\d.]+: .*make node-addon/);
  await writeFile(join(copy, "native.node"), "no library");
  assert.match(await load(), /cannot be loaded on linux-\w+, Node [\d.]+: install the package on the machine that runs it/);
});
