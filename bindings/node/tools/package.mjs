// Makes the npm package out of an addon that was built: `node package.mjs ADDON OUT`. Prints the tarball.

import { execFileSync } from "node:child_process";
import { chmod, cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const PACKAGE = fileURLToPath(new URL("..", import.meta.url));
const REPOSITORY = fileURLToPath(new URL("../../..", import.meta.url));

const [addon, out] = process.argv.slice(2);
if (out === undefined) {
  console.error("usage: node package.mjs ADDON OUT");
  process.exit(2);
}

const stage = await mkdtemp(join(tmpdir(), "consolepass-npm-"));
try {
  const { devDependencies, ...description } = JSON.parse(await readFile(join(PACKAGE, "package.json"), "utf8"));
  for (const file of [...description.files, "README.md"]) {
    if (file !== "native.node") await cp(join(PACKAGE, file), join(stage, file), { recursive: true });
  }
  const licences = ["LICENSE-APACHE", "LICENSE-MIT"];
  for (const file of licences) await cp(join(REPOSITORY, file), join(stage, file));
  await cp(addon, join(stage, "native.node"));
  await chmod(join(stage, "native.node"), 0o755);
  // npm then refuses it where it cannot be loaded, in words.
  const { glibcVersionRuntime } = process.report.getReport().header;
  const platform = { os: [process.platform], cpu: [process.arch], libc: [glibcVersionRuntime ? "glibc" : "musl"] };
  await writeFile(join(stage, "package.json"), `${JSON.stringify({ ...description, files: [...description.files, ...licences], ...platform }, null, 2)}\n`);

  // An addon that cannot be loaded is not packed.
  const { version } = JSON.parse(execFileSync(process.execPath, ["-p", "JSON.stringify(require('.'))"], { cwd: stage }));
  if (version !== description.version) throw new Error(`the addon is ${version}, the package ${description.version}`);
  await mkdir(out, { recursive: true });
  const packed = execFileSync("npm", ["pack", "--json", "--pack-destination", resolve(out)], { cwd: stage, encoding: "utf8" });
  const [{ filename }] = Object.values(JSON.parse(packed)).flat();
  console.log(join(out, filename));
} finally {
  await rm(stage, { recursive: true });
}
