// A double of the package pve-client, as far as its users see it and a take-over looks: ours, written from how its published source
// behaves, for the package itself cannot be had from every registry. Three fields that TypeScript calls private are there at run
// time as well.

import { request } from "node:https";

const withoutSlashes = (text) => text.replace(/\/+$/, "");

export class Client {
  auth = {};

  constructor(options) {
    this.opts = options;
    this.baseUrl = withoutSlashes(options.baseUrl);
    this.apiPath = withoutSlashes(options.apiPath ?? "/api2/json");
  }

  url(path, query = {}) {
    const url = new URL(this.baseUrl + this.apiPath + path);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    return url.toString();
  }

  sessionCookie() {
    return this.auth.ticket ? `PVEAuthCookie=${this.auth.ticket}` : undefined;
  }

  /** It asks whether the name is there: one with nothing in it, such as of a variable that is not set, fails here. */
  tokenAuthorizationHeader() {
    if (!("apiToken" in this.opts)) return undefined;
    const { apiToken } = this.opts;
    return apiToken.startsWith("PVEAPIToken=") ? apiToken : `PVEAPIToken=${apiToken}`;
  }

  async login() {
    if (!("username" in this.opts)) throw new Error("there is no username to log in with");
    const { username, password, realm = "pam" } = this.opts;
    const { ticket, CSRFPreventionToken } = await this.request("/access/ticket", "POST", { $body: { username, password, realm } });
    Object.assign(this.auth, { ticket, csrf: CSRFPreventionToken });
    return this;
  }

  async request(path, method, { $query, $body } = {}) {
    const form = $body && new URLSearchParams($body).toString();
    const answer = await this.#send(this.url(path, $query), method, form);
    if (answer.statusCode !== 200) throw new Error(`${answer.statusCode} ${answer.statusMessage}`);
    const parts = [];
    for await (const part of answer) parts.push(part);
    return JSON.parse(Buffer.concat(parts)).data;
  }

  #send(url, method, form) {
    const headers = this.#authorization();
    if (form) Object.assign(headers, { "content-type": "application/x-www-form-urlencoded", "content-length": form.length });
    return new Promise((resolve, reject) => {
      request(url, { method, agent: this.opts.agent, headers }, resolve).once("error", reject).end(form);
    });
  }

  #authorization() {
    const token = this.tokenAuthorizationHeader();
    if (token !== undefined) return { authorization: token };
    const { ticket, csrf } = this.auth;
    return ticket ? { cookie: this.sessionCookie(), ...(csrf && { csrfpreventiontoken: csrf }) } : {};
  }
}
