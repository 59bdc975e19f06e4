"use strict";
// Taking over what a client of somebody else's knows: where the hypervisor is, and how it logs in there.

const { ConsolepassError, invalid } = require("./errors.cjs");
const { kindOf } = require("./values.cjs");

const TOKEN = "PVEAPIToken=";
const COOKIE = "PVEAuthCookie=";
const API_PATH = "/api2/json";
const ACCOUNT = ["tokenId", "tokenSecret", "username", "password", "loginTicket", "csrfToken"];
const TRUST = ["fingerprint", "caFile", "insecure"];

/** The options of an engine of `proxmox-api`, with those of the caller's own before them. */
function fromEngine(engine, own = {}) {
  if (!isEngine(engine)) {
    const hint =
      typeof engine === "function" || kindOf(engine) === "an object"
        ? "what proxmoxApi() returns hides its engine: keep one, `const engine = new ProxmoxEngine({ … })`, give it to proxmoxApi(engine) and here"
        : undefined;
    throw new ConsolepassError("invalid_argument", "fromProxmoxApi: it must be a ProxmoxEngine of proxmox-api", { hint });
  }
  // Without a port it asks at that of the scheme, whatever its documentation says.
  const host = `${engine.schema}://${engine.host}${engine.port ? "" : ":443"}`;
  return merged(host, () => accountOfEngine(engine), {}, own);
}

function isEngine(engine) {
  // A proxy of the API answers to every name with another one.
  const isClient = typeof engine?.doRequest === "function" && typeof engine.getTicket === "function";
  return isClient && typeof engine.host === "string" && typeof engine.schema === "string";
}

function accountOfEngine({ username, password, ticket, CSRFPreventionToken: csrfToken }) {
  if (ticket?.startsWith(TOKEN)) return token(ticket);
  return { username, password: password || undefined, ...login(ticket, csrfToken) };
}

/** The options of a `Client` of `pve-client`, with those of the caller's own before them. */
function fromClient(client, own = {}) {
  const isClient = ["url", "sessionCookie", "tokenAuthorizationHeader"].every((name) => typeof client?.[name] === "function");
  if (!isClient) throw invalid("fromPveClient", kindOf(client), "must be a Client of pve-client");
  const { protocol, host, port, pathname } = new URL(client.url(""));
  const path = pathname.replace(/\/+$/, "");
  if (!path.endsWith(API_PATH)) {
    throw new ConsolepassError("unsupported", `fromPveClient: an API at another path than ${API_PATH} cannot be taken over`);
  }
  const base = `${protocol}//${host}${port ? "" : ":443"}${path.slice(0, -API_PATH.length)}`;
  return merged(base, () => accountOfClient(client), trustOfAgent(client.opts?.agent, own), own);
}

function accountOfClient(client) {
  const header = client.tokenAuthorizationHeader();
  if (header !== undefined) return token(header);
  const { username, password, realm = "pam" } = client.opts ?? {};
  const name = username?.includes("@") ? username : `${username}@${realm}`;
  return { username: name, password, ...login(client.sessionCookie()?.replace(COOKIE, ""), client.auth?.csrf) };
}

/** That it checks no certificate was said in words, and is taken over; a certificate itself cannot be, for it may be any. */
function trustOfAgent(agent, own) {
  if (TRUST.some((name) => own[name] !== undefined)) return {};
  if (agent?.options?.rejectUnauthorized === false) return { insecure: true };
  if (agent?.options?.ca === undefined) return {};
  throw new ConsolepassError("invalid_argument", "fromPveClient: the client's agent has a certificate authority of its own", {
    hint: "give its file as caFile beside the client, or the fingerprint of the node",
  });
}

function merged(host, accountOf, trust, own) {
  if (typeof own !== "object" || own === null) throw invalid("proxmox: options", kindOf(own), "must be an object");
  const account = ACCOUNT.some((name) => own[name] !== undefined) ? {} : accountOf();
  return { host, ...account, ...trust, ...own };
}

/** `PVEAPIToken=USER@REALM!TOKENID=UUID` in its two parts. */
function token(header) {
  const text = header.slice(TOKEN.length);
  const middle = text.lastIndexOf("=");
  return { tokenId: text.slice(0, middle), tokenSecret: text.slice(middle + 1) };
}

function login(loginTicket, csrfToken) {
  return loginTicket ? { loginTicket, csrfToken: csrfToken || undefined } : {};
}

module.exports = { fromClient, fromEngine };
