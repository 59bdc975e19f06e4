// Portals that talk to Proxmox VE already: what their client knows is taken over.

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { Agent } from "node:https";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { inspect } from "node:util";
import { ProxmoxEngine, proxmoxApi } from "proxmox-api";
import { Proxmox } from "../index.mjs";
import { PASSWORD, TOKEN_ID, TOKEN_SECRET, USER, startProxmox } from "./support/emulator.mjs";
// A double: the README says so.
import { Client } from "./support/pve_client.mjs";

// The engine's own `fetch`, which takes trust.
const undici = createRequire(createRequire(import.meta.url).resolve("proxmox-api"))("undici");

let folder;
let hypervisor;
let ca;
let trust;
let engineOptions;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "consolepass-node-"));
  const caFile = join(folder, "ca.pem");
  hypervisor = await startProxmox({ args: ["--ca-file", caFile] });
  ca = await readFile(caFile);
  trust = { fingerprint: hypervisor.fingerprint };
  const dispatcher = new undici.Agent({ connect: { ca } });
  const [host, port] = hypervisor.address.split(":");
  engineOptions = { host, port: Number(port), fetch: (url, init) => undici.fetch(url, { ...init, dispatcher }) };
});
after(async () => {
  await hypervisor?.stop();
  await rm(folder, { recursive: true });
});

const code = (code) => (error) => error.code === code;

test("an engine of proxmox-api with a token opens consoles", async () => {
  const engine = new ProxmoxEngine({ ...engineOptions, tokenID: TOKEN_ID, tokenSecret: TOKEN_SECRET });
  const [guest] = await proxmoxApi(engine).cluster.resources.$get({ type: "vm" });

  const opened = await Proxmox.fromProxmoxApi(engine, trust).open(`${guest.node}/${guest.id}`);

  assert.equal(opened.machine, "pve1/qemu/101");
  assert.deepEqual(opened.headers, { authorization: `PVEAPIToken=${TOKEN_ID}=${TOKEN_SECRET}` });
});

test("an engine with a password is taken over before and after its log-in", async () => {
  const engine = new ProxmoxEngine({ ...engineOptions, username: USER, password: PASSWORD });

  const before = await Proxmox.fromProxmoxApi(engine, trust).open("qemu/101");
  const { ticket } = await engine.getTicket();
  const after = await Proxmox.fromProxmoxApi(engine, trust).open("qemu/101");

  assert.match(before.headers.cookie, /^PVEAuthCookie=/);
  assert.ok(decodeURIComponent(after.headers.cookie).includes(ticket), "the engine's own ticket is used");
});

test("an engine whose password is gone is taken over by its ticket", async () => {
  const engine = new ProxmoxEngine({ ...engineOptions, username: USER, password: PASSWORD });
  await engine.getTicket();
  engine.password = "";

  const opened = await Proxmox.fromProxmoxApi(engine, trust).open("qemu/101");

  assert.equal(opened.machine, "pve1/qemu/101");
});

test("what cannot be taken over says so, and shows nothing", async () => {
  const engine = new ProxmoxEngine({ ...engineOptions, tokenID: TOKEN_ID, tokenSecret: TOKEN_SECRET });
  const attempts = [
    [() => Proxmox.fromProxmoxApi(proxmoxApi(engine), trust), /ProxmoxEngine/, /keep one/],
    [() => Proxmox.fromProxmoxApi({ ...engineOptions }), /ProxmoxEngine/],
    [() => Proxmox.fromProxmoxApi(), /ProxmoxEngine/],
    [() => Proxmox.fromProxmoxApi(new ProxmoxEngine({ ...engineOptions, tokenID: TOKEN_ID, tokenSecret: TOKEN_SECRET, schema: "http" })), /plain HTTP/],
    [() => Proxmox.fromProxmoxApi(engine, { tokenID: TOKEN_ID }), /unknown option "tokenID"/],
    [() => Proxmox.fromProxmoxApi(engine, 5), /a number: must be an object/],
  ];
  for (const [attempt, message, hint = /./] of attempts) {
    assert.throws(attempt, (error) => {
      assert.equal(error.code, "invalid_argument");
      assert.match(error.message, message);
      assert.match(error.hint, hint);
      return !inspect(error).includes(TOKEN_SECRET);
    });
  }
  // What the engine trusts is not known here.
  await assert.rejects(Proxmox.fromProxmoxApi(engine).open("qemu/101"), code("tls_untrusted"));
});

test("options beside an engine come first", async () => {
  const engine = new ProxmoxEngine({ ...engineOptions, username: USER, password: "wrong" });
  const account = { tokenId: TOKEN_ID, tokenSecret: TOKEN_SECRET };

  const opened = await Proxmox.fromProxmoxApi(engine, { ...trust, ...account, timeout: 5 }).open("qemu/101");

  assert.equal(opened.machine, "pve1/qemu/101");
});

test("an engine without a port is at the one of its scheme", () => {
  const engine = new ProxmoxEngine({ host: "pve.invalid", tokenID: TOKEN_ID, tokenSecret: TOKEN_SECRET });

  return assert.rejects(Proxmox.fromProxmoxApi(engine).open("qemu/101"), /pve\.invalid:443/);
});

test("a Client such as pve-client's is taken over with its token, its password or its session", async () => {
  const baseUrl = `https://${hypervisor.address}/`;
  const agent = new Agent({ ca });
  const [username, realm] = USER.split("@");
  const byToken = [`${TOKEN_ID}=${TOKEN_SECRET}`, `PVEAPIToken=${TOKEN_ID}=${TOKEN_SECRET}`];
  const byPassword = new Client({ baseUrl, username, realm, password: PASSWORD, agent });
  const loggedIn = await new Client({ baseUrl, username, realm, password: PASSWORD, agent }).login();

  for (const client of [...byToken.map((apiToken) => new Client({ baseUrl, apiToken })), byPassword, loggedIn]) {
    const opened = await Proxmox.fromPveClient(client, trust).open("qemu/101");

    assert.equal(opened.machine, "pve1/qemu/101");
  }
  const { cookie } = (await Proxmox.fromPveClient(loggedIn, trust).open("qemu/101")).headers;
  assert.ok(decodeURIComponent(cookie).includes(loggedIn.auth.ticket), "the client's own ticket is used");
});

test("what a Client's agent trusts is taken over where it can be, and asked for where not", async () => {
  const client = (options) =>
    new Client({ baseUrl: `https://${hypervisor.address}`, apiToken: `${TOKEN_ID}=${TOKEN_SECRET}`, ...options });

  await Proxmox.fromPveClient(client({ agent: new Agent({ rejectUnauthorized: false }) })).open("qemu/101");
  assert.throws(() => Proxmox.fromPveClient(client({ agent: new Agent({ ca }) })), /certificate authority/);
  await assert.rejects(Proxmox.fromPveClient(client({})).open("qemu/101"), code("tls_untrusted"));
  assert.throws(() => Proxmox.fromPveClient(client({ apiPath: "/other" })), code("unsupported"));
  assert.throws(() => Proxmox.fromPveClient({}), code("invalid_argument"));
});

test("a Client is as good after requests of its own, and however its paths are written", async () => {
  const [username, realm] = USER.split("@");
  const options = { baseUrl: `https://${hypervisor.address}//`, apiPath: "/api2/json/", agent: new Agent({ ca }) };
  const account = { username: [username, realm].join("@"), realm: "pam", password: PASSWORD };
  const clients = [new Client({ ...options, apiToken: `${TOKEN_ID}=${TOKEN_SECRET}` }), await new Client({ ...options, ...account, username, realm }).login()];
  for (const client of clients) {
    const [guest] = await client.request("/cluster/resources", "GET", { $query: { type: "vm" } });

    const opened = await Proxmox.fromPveClient(client, trust).open(`${guest.node}/${guest.id}`);

    assert.equal(opened.machine, "pve1/qemu/101");
  }
  // A user's name with its realm in it needs no other.
  assert.equal((await Proxmox.fromPveClient(new Client({ ...options, ...account }), trust).open("qemu/101")).machine, "pve1/qemu/101");
  await assert.rejects(clients[0].login(), /username/);
});

test("a Client whose options cannot be right is refused with what is wrong, and shows no secret", () => {
  const baseUrl = `https://${hypervisor.address}`;
  const cases = [
    [{ baseUrl: hypervisor.address.replace("127.0.0.1", "pve example"), apiToken: "x" }, /url\(\)/, /baseUrl/],
    [{ baseUrl, apiToken: undefined }, /tokenAuthorizationHeader\(\)/, /apiToken/],
    [{ baseUrl, apiToken: TOKEN_SECRET }, /tokenAuthorizationHeader\(\)/, /USER@REALM!TOKENID=UUID/],
    [{ baseUrl }, /username: undefined: must be a string/, /./],
  ];
  for (const [options, message, hint] of cases) {
    assert.throws(() => Proxmox.fromPveClient(new Client(options), trust), (error) => {
      assert.equal(error.code, "invalid_argument", error.stack);
      assert.match(error.message, message);
      assert.match(error.hint, hint);
      return !inspect(error).includes(TOKEN_SECRET.slice(0, -1));
    });
  }
});
