// Writes dist/index.html, dist/viewer.js and dist/viewer.css: the three files that the relay serves.

import { copyFile, mkdir, readFile, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const novnc = JSON.parse(await readFile(here("node_modules/@novnc/novnc/package.json"), "utf8"));

// The bundle carries noVNC, and MPL-2.0 asks that whoever receives it learns where its source is.
const notice = `/*! consolepass viewer, MIT OR Apache-2.0.
Contains noVNC ${novnc.version}, (C) The noVNC authors, MPL-2.0, unmodified; source: https://github.com/novnc/noVNC/tree/v${novnc.version}
and pako, (C) Vitaly Puzrin and Andrei Tuputcyn, MIT. */`;

await rm(here("dist"), { recursive: true, force: true });
await mkdir(here("dist"), { recursive: true });
await build({
  entryPoints: { viewer: here("src/main.ts") },
  outdir: here("dist"),
  bundle: true,
  // noVNC awaits at the top level, which only an ES module may do.
  format: "esm",
  target: "es2022",
  minify: true,
  banner: { js: notice },
  logLevel: "warning",
});
await build({
  entryPoints: [here("src/viewer.css")],
  outdir: here("dist"),
  minify: true,
  logLevel: "warning",
});
await copyFile(here("src/index.html"), here("dist/index.html"));
