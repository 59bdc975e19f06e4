"use strict";
// Taking over what a client of somebody else's knows: where the hypervisor is, and how it logs in there.

const { ConsolepassError, invalid } = require("./errors.cjs");
const { checkOptions, kindOf, text } = require("./values.cjs");

const TOKEN = "PVEAPIToken=";
const COOKIE = "PVEAuthCookie=";
const API_PATH = "/api2/json";
const ACCOUNT = ["tokenId", "tokenSecret", "username", "password", "loginTicket", "csrfToken"];
const TRUST = ["fingerprint", "caFile", "insecure"];
/** What a Client of pve-client tells, and what it was made with if it cannot. */
const SAID = {
  url: "its baseUrl is a whole URL, https://pve.example.com:8006",
  tokenAuthorizationHeader: "its apiToken is USER@REALM!TOKENID=UUID; a Client with a password is made without that name",
  sessionCookie: "have it log in again",
};

/** The options of an engine of `proxmox-api`, with those of the caller's own before them. */
function fromEngine(engine, own = {}) {
  if (!isEngine(engine)) {
    const hint =
      typeof engine === "function" || kindOf(engine) === "an object"
        ? "what proxmoxApi() returns hides its engine: keep one, `const engine = new ProxmoxEngine({ … })`, give it to proxmoxApi(engine) and here"
        : undefined;
    throw new ConsolepassError("invalid_argument", "fromProxmoxApi: it must be a ProxmoxEngine of proxmox-api", { hint });
  }
  checkOptions(own, "proxmox");
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
  const known = ticket ? text(ticket, "fromProxmoxApi: its ticket") : "";
  if (known.startsWith(TOKEN)) return token(known) ?? refuse("fromProxmoxApi: its ticket is no token");
  return { username, password: password || undefined, ...login(known, csrfToken) };
}

/** The options of a `Client` of `pve-client`, with those of the caller's own before them. */
function fromClient(client, own = {}) {
  const isClient = Object.keys(SAID).every((name) => typeof client?.[name] === "function");
  if (!isClient) throw invalid("fromPveClient", kindOf(client), "must be a Client of pve-client");
  checkOptions(own, "proxmox");
  return merged(hostOfClient(client), () => accountOfClient(client), trustOfAgent(client.opts?.agent, own), own);
}

function hostOfClient(client) {
  const address = said(client, "url", "");
  if (!URL.canParse(address)) refuse("fromPveClient: the client's url() gives no URL", SAID.url);
  const { protocol, host, port, pathname } = new URL(address);
  const path = pathname.replace(/\/+$/, "");
  if (!path.endsWith(API_PATH)) {
    throw new ConsolepassError("unsupported", `fromPveClient: an API at another path than ${API_PATH} cannot be taken over`);
  }
  return `${protocol}//${host}${port ? "" : ":443"}${path.slice(0, -API_PATH.length)}`;
}

function accountOfClient(client) {
  const header = said(client, "tokenAuthorizationHeader");
  if (header !== undefined) {
    return token(header) ?? refuse("fromPveClient: the client's tokenAuthorizationHeader() gives no token", SAID.tokenAuthorizationHeader);
  }
  const { username, password, realm = "pam" } = client.opts ?? {};
  const [name, where] = [text(username, "fromPveClient: its username"), text(realm, "fromPveClient: its realm")];
  const cookie = said(client, "sessionCookie") ?? "";
  return { username: name.includes("@") ? name : `${name}@${where}`, password, ...login(cookie.replace(COOKIE, ""), client.auth?.csrf) };
}

/** What a method of the client tells, if it is a text. What it throws is not shown: there may be a secret in it. */
function said(client, name, ...given) {
  let answer;
  try {
    answer = client[name](...given);
  } catch {
    refuse(`fromPveClient: the client's ${name}() fails`, SAID[name]);
  }
  return answer === undefined ? undefined : text(answer, `fromPveClient: ${name}()`);
}

function refuse(message, hint) {
  throw new ConsolepassError("invalid_argument", message, { hint });
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
  const account = ACCOUNT.some((name) => own[name] !== undefined) ? {} : accountOf();
  return { host, ...account, ...trust, ...own };
}

/** `PVEAPIToken=USER@REALM!TOKENID=UUID` in its two parts. */
function token(header) {
  const [, tokenId, tokenSecret] = /^PVEAPIToken=(.+)=(.+)$/s.exec(header) ?? [];
  return tokenId && { tokenId, tokenSecret };
}

function login(loginTicket, csrfToken) {
  return loginTicket ? { loginTicket, csrfToken: csrfToken || undefined } : {};
}

module.exports = { fromClient, fromEngine };
