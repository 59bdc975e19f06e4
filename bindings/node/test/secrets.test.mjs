// Nothing that is printed, serialized or thrown shows a secret; each is read by its name.

import assert from "node:assert/strict";
import { Console } from "node:console";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { after, before, test } from "node:test";
import { format, inspect } from "node:util";
import { serialize } from "node:v8";
import { Issuer, Proxmox, Relay, Vnc, log } from "../index.mjs";
import { start } from "../../../tests/e2e/demo/child.mjs";
import { PASSWORD, PROGRAM, TOKEN_SECRET, startProxmox } from "./support/emulator.mjs";

let folder;
let hypervisor;
let objects;
let secrets;
const lines = [];
const keep = (line) => lines.push(line);

before(async () => {
  log.level = "trace";
  log.on("log", keep);
  folder = await mkdtemp(join(tmpdir(), "consolepass-node-"));
  const passKeyFile = join(folder, "pass.jwk");
  await start(PROGRAM, ["pass", "--new-key", passKeyFile]).ended;
  hypervisor = await startProxmox();
  const [byToken, byPassword] = [new Proxmox(hypervisor.token), new Proxmox(hypervisor.password)];
  const desk = new Vnc({ host: "127.0.0.1:1", password: "hunter22" });
  const consoles = [await byToken.open("qemu/101"), await byPassword.open("qemu/101"), await desk.open("d")];
  const relay = new Relay({ backends: { byToken, byPassword, desk }, publicUrl: "https://portal.test" });
  const issuer = new Issuer({ publicUrl: "https://portal.test", passKeyFile });
  const passes = [await relay.issue("byToken", "qemu/101"), await issuer.issue("byToken", "qemu/101")];
  const wrong = new Proxmox({ ...hypervisor.token, tokenSecret: TOKEN_SECRET.replace("f", "0") });
  const errors = [
    await wrong.open("qemu/101").catch((error) => error),
    await byToken.open("qemu/999").catch((error) => error),
    await relay.issue("none", "qemu/101").catch((error) => error),
  ];
  objects = { byToken, byPassword, desk, wrong, consoles, relay, issuer, passes, errors, parameters: consoles.slice(0, 2).map((one) => one.rfbParameters()) };
  secrets = [
    TOKEN_SECRET, PASSWORD, "hunter22", TOKEN_SECRET.replace("f", "0"),
    JSON.parse(await readFile(passKeyFile, "utf8")).k,
    ...consoles.flatMap(({ websocketUrl, headers, password }) => [websocketUrl, password, ...Object.values(headers)]),
    ...consoles.slice(0, 2).map(({ websocketUrl }) => new URL(websocketUrl).searchParams.get("vncticket")),
    ...passes.map(({ url }) => new URL(url).searchParams.get("pass")),
  ].filter(Boolean);
});
after(async () => {
  log.off("log", keep);
  await hypervisor?.stop();
  await rm(folder, { recursive: true });
});

function showsNone(shown) {
  for (const secret of secrets) assert.ok(!shown.includes(secret), `${secret} is shown in ${shown}`);
}

test("there is something to look for", () => {
  assert.equal(secrets.length, 5 + 2 + 3 + 2 + 2 + 2);
  assert.ok(secrets.every((secret) => secret.length >= 8));
});

test("console.log and util.inspect show what is safe, however deep they look", () => {
  showsNone(format("%o %O %j %s", objects, objects, objects, objects));
  // Without custom looks, as `console.dir` and the differences of `assert` have it, what is left to list is what the prototypes have.
  for (const customInspect of [true, false]) {
    for (const showHidden of [true, false]) {
      for (const getters of [true, "get", "set", false]) {
        showsNone(inspect(objects, { depth: Infinity, customInspect, showHidden, getters, showProxy: true }));
      }
    }
  }
  const written = [];
  const place = new Console(new Writable({ write: (bytes, _encoding, done) => (written.push(bytes), done()) }));
  place.dir(objects, { depth: Infinity, showHidden: true, getters: true });
  showsNone(String(Buffer.concat(written)));
  assert.ok(written.length > 0);
  for (const one of Object.values(objects).flat()) showsNone(format("%o %O %j %s %d", one, one, one, one, one) + String(one));
  assert.match(inspect(objects.consoles[0]), /Console \{\s+machine: 'pve1\/qemu\/101'/);
  assert.match(inspect(objects.passes[0]), /Pass \{ reference: '\w{10}'/);
});

test("JSON, copies and structured clones hold none", () => {
  showsNone(JSON.stringify(objects));
  const spread = Object.values(objects).flat().map((one) => ({ ...one }));
  showsNone(inspect(spread, { depth: Infinity }) + JSON.stringify(spread));
  for (const one of Object.values(objects).flat().filter((one) => !(one instanceof Relay))) {
    showsNone(serialize(one).toString("latin1"));
    showsNone(inspect(structuredClone(one), { showHidden: true }));
  }
});

test("errors show none, with all that is in and behind them", () => {
  for (const error of objects.errors) {
    const { message, stack, hint, cause, ...rest } = error;
    showsNone([message, stack, hint, inspect(cause), inspect(rest), String(error)].join("\n"));
  }
});

test("no line of the log shows one, at its most talkative", async () => {
  while (!lines.some(({ message }) => message.includes("pass issued"))) await new Promise(setImmediate);
  assert.ok(lines.length >= 2, inspect(lines));
  showsNone(inspect(lines, { depth: Infinity }));
});

test("each is read by its name", () => {
  const [opened] = objects.consoles;
  assert.ok(secrets.includes(opened.websocketUrl) && secrets.includes(opened.password));
  const { url, password } = objects.parameters[0];
  assert.deepEqual([url, password], [opened.websocketUrl, opened.password]);
  assert.ok(objects.passes[0].viewerUrl.startsWith("https://portal.test/#pass="));
});
