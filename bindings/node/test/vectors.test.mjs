// The vectors that every language runs: see tests/vectors/README.md.

import assert from "node:assert/strict";
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { inspect } from "node:util";
import { Issuer, Proxmox, cloudtowerDirect, cloudtowerVia } from "../index.mjs";
import { startScript } from "./support/emulator.mjs";
import { camelCase, camelCased } from "./support/names.mjs";

const FOLDER = fileURLToPath(new URL("../../../tests/vectors/", import.meta.url));
// A folder that lost its files must not pass.
const FEWEST = { proxmox: 96, links: 205 };

let folder;
before(async () => (folder = await mkdtemp(join(tmpdir(), "consolepass-node-"))));
after(() => rm(folder, { recursive: true }));

async function read(prefix) {
  const files = (await readdir(FOLDER)).filter((file) => file.startsWith(`${prefix}-`) && file.endsWith(".json"));
  const lists = files.map(async (file) => {
    const list = JSON.parse(await readFile(join(FOLDER, file), "utf8"));
    return list.map((vector) => ({ ...vector, file: join(FOLDER, file) }));
  });
  return (await Promise.all(lists)).flat();
}

async function hasIpv6() {
  const server = createServer();
  const listens = new Promise((resolve) => server.once("listening", () => resolve(true)).once("error", () => resolve(false)));
  server.listen(0, "::1");
  const has = await listens;
  server.close();
  return has;
}

for (const prefix of Object.keys(FEWEST)) {
  test(`every vector of ${prefix}-*.json comes out as it says`, async (context) => {
    const all = await read(prefix);
    assert.ok(all.length >= FEWEST[prefix], `only ${all.length} vectors`);
    const withIpv6 = await hasIpv6();
    const vectors = all.filter(({ listen }) => withIpv6 || listen !== "::1");
    if (vectors.length < all.length) context.diagnostic(`${all.length - vectors.length} need ::1, which is not here`);

    const failures = [];
    const queue = [...vectors.entries()];
    const worker = async () => {
      for (let next; (next = queue.shift()); ) {
        const [number, vector] = next;
        await play(vector, number).catch((error) => failures.push(`${vector.name}: ${error.message}`));
      }
    };
    await Promise.all(Array.from({ length: 2 * availableParallelism() }, worker));

    assert.deepEqual(failures, []);
  });
}

async function play(vector, number) {
  const double = vector.backend === undefined ? undefined : await startPlayer(vector, number);
  try {
    const place = { address: double?.address ?? "", fingerprint: double?.fingerprint ?? "" };
    place.port = place.address.split(":").at(-1);
    const made = [];
    const outcome = await call(vector, place, number, made).then(
      (value) => ({ value }),
      (error) => ({ error }),
    );
    made.push(outcome.error ?? []);
    showsNoSecret(vector, made);
    if (vector.error !== undefined) checkError(fill(vector.error, place), outcome, vector);
    else if (outcome.error) throw outcome.error;
    else checkResult(fill(vector.result, place), outcome.value, place);
    if (double !== undefined && !isOpenEnded(vector)) await followed(double);
  } finally {
    await double?.stop();
  }
}

/** Whether the double would end too early: it does so with the last exchange, even if that is a silence. */
function isOpenEnded({ exchanges = [], tls }) {
  return exchanges.length === 0 || exchanges.at(-1).response.hang !== undefined || tls === "none";
}

async function startPlayer(vector, number) {
  if (!isOpenEnded(vector)) return startScript(vector.file, vector.name);
  const file = join(folder, `${number}.json`);
  const never = { request: { method: "GET", path: "/never" }, response: { status: 200 } };
  await writeFile(file, JSON.stringify({ ...vector, exchanges: [...(vector.exchanges ?? []), never] }));
  return startScript(file, vector.name);
}

/** The double ends by itself when every exchange happened, and says what was different. */
async function followed(double) {
  const why = await double.child.ended;
  if (!/ended \(0\)/.test(why)) throw new Error(`${why}: ${double.child.errors}`);
}

async function call({ backend, options = {}, call, tls = "pinned", pass_key: key }, place, number, made) {
  const keep = (value) => (made.push(value), value);
  const [[name, given]] = Object.entries(call);
  if (name.startsWith("cloudtower_")) {
    const run = { cloudtower_direct: cloudtowerDirect, cloudtower_via: cloudtowerVia }[name];
    return run(camelCased(given));
  }
  if (name === "issue") {
    const issuerOptions = camelCased(fill(options, place));
    if (key !== undefined) {
      issuerOptions.passKeyFile = join(folder, `${number}.jwk`);
      await writeFile(issuerOptions.passKeyFile, JSON.stringify(key), { mode: 0o600 });
    }
    const issuer = keep(new Issuer(issuerOptions));
    const pass = keep(await issuer.issue(given.backend, given.machine, camelCased(given.options ?? {})));
    return { link: then(pass, given.then, place, keep), pass: new URL(pass.url).searchParams.get("pass") };
  }
  assert.equal(backend, "proxmox");
  const filled = fill(options, place);
  if (!("host" in filled)) filled.host = place.address;
  const trusts = ["fingerprint", "ca_file", "insecure"].some((option) => option in filled);
  if (tls === "pinned" && !trusts) filled.fingerprint = place.fingerprint;
  const pve = keep(new Proxmox(camelCased(filled)));
  const opened = keep(await pve.open(given.machine, given.kind === undefined ? {} : { kind: given.kind }));
  return given.then === undefined ? opened : { link: then(opened, given.then, place, keep) };
}

function then(on, call, place, keep) {
  const [[name, given]] = Object.entries(call);
  if (name === "novnc_url") return on.novncUrl(fill(given.page, place), camelCased(given.options ?? {}));
  if (name === "rfb_parameters") return keep(on.rfbParameters());
  return on[camelCase(name)];
}

function checkResult(expected, value, place) {
  if (typeof value === "string") return assert.equal(value, expected);
  if ("link" in value) {
    const { link, pass } = value;
    const wanted = pass === undefined ? expected : fill(expected, { pass });
    if (typeof link === "string") return assert.equal(link, wanted);
    return assert.deepEqual({ url: link.url, password: link.password ?? null }, wanted);
  }
  const { machine, kind, websocketUrl, password, headers, address, expiresAt } = value;
  const lowered = Object.fromEntries(Object.entries(expected.headers).map(([name, text]) => [name.toLowerCase(), text]));
  assert.deepEqual(
    { machine, kind, websocketUrl, password, headers, address },
    {
      machine: expected.machine,
      kind: expected.kind,
      websocketUrl: expected.websocket_url,
      password: expected.password,
      headers: lowered,
      address: place.address,
    },
  );
  const left = (expiresAt - Date.now()) / 1000;
  assert.ok(left > 0 && left <= expected.expires_within, `it expires in ${left} s`);
}

function checkError(expected, { error, value }, { options = {} }) {
  assert.ok(error, `it should fail and gave ${inspect(value)}`);
  const said = `${error.code} (HTTP ${error.httpStatus}): ${error.message} [${error.hint}]`;
  assert.equal(error.code, expected.code, said);
  if (expected.http_status !== undefined) assert.equal(error.httpStatus, expected.http_status, said);
  if (expected.fingerprint !== undefined) assert.equal(error.fingerprint, expected.fingerprint, said);
  // Options are in camelCase, in what is said of them as well.
  const spelt = (part) => (part in options || /^[a-z]+(_[a-z]+)+$/.test(part) ? camelCase(part) : part);
  for (const part of expected.message_contains ?? []) assert.ok(error.message.includes(spelt(part)), `${part}: ${said}`);
  for (const part of expected.hint_contains ?? []) assert.ok(error.hint.includes(spelt(part)), `${part}: ${said}`);
}

function showsNoSecret({ options = {}, exchanges = [], pass_key: key, call }, made) {
  const texts = [options.token_secret, options.password, options.login_ticket, options.csrf_token, key?.k];
  for (const { response } of exchanges) {
    const { ticket, password, CSRFPreventionToken } = response?.json?.data ?? {};
    texts.push(ticket, password, CSRFPreventionToken);
  }
  for (const given of Object.values(call)) texts.push(given.token, given.raw_token);
  for (const value of made) {
    texts.push(value.websocketUrl, value.url, value.url && new URL(value.url).searchParams.get("pass"));
    texts.push(value.websocketUrl?.split("vncticket=")[1]);
  }
  const secrets = texts.filter((text) => typeof text === "string" && text.length >= 8);
  for (const value of made) {
    const shown = `${inspect(value, { depth: 9, showHidden: true })} ${value.hint} ${value.message} ${JSON.stringify(value)}`;
    const found = secrets.find((secret) => shown.includes(secret));
    if (found !== undefined) throw new Error(`the secret ${found} is shown in ${shown}`);
  }
}

/** Puts what they stand for in place of `{address}` and its like, wherever they are. */
function fill(value, place) {
  if (typeof value === "string") return value.replace(/\{(\w+)\}/g, (whole, name) => place[name] ?? whole);
  if (Array.isArray(value)) return value.map((item) => fill(item, place));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, fill(item, place)]));
}
