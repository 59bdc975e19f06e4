// A double of the package pve-client, as far as its users see it: ours, written from the interface that it has published, for
// the package itself cannot be had from every registry. Two fields that TypeScript calls private are there at run time as well,
// and are what a take-over needs.

import { request } from "node:https";

export class Client {
  auth = {};

  constructor(options) {
    this.opts = options;
    this.baseUrl = options.baseUrl.replace(/\/+$/, "");
    this.apiPath = options.apiPath ?? "/api2/json";
  }

  url(path) {
    return new URL(this.baseUrl + this.apiPath + path).toString();
  }

  sessionCookie() {
    return this.auth.ticket && `PVEAuthCookie=${this.auth.ticket}`;
  }

  tokenAuthorizationHeader() {
    const { apiToken } = this.opts;
    return apiToken && (apiToken.startsWith("PVEAPIToken=") ? apiToken : `PVEAPIToken=${apiToken}`);
  }

  async login() {
    const { username, password, realm = "pam" } = this.opts;
    const data = await this.#post("/access/ticket", { username, password, realm });
    this.auth = { ticket: data.ticket, csrf: data.CSRFPreventionToken };
    return this;
  }

  #post(path, form) {
    const body = new URLSearchParams(form).toString();
    const headers = { "content-type": "application/x-www-form-urlencoded", "content-length": body.length };
    return new Promise((resolve, reject) => {
      const call = request(this.url(path), { method: "POST", agent: this.opts.agent, headers }, async (answer) => {
        const parts = [];
        for await (const part of answer) parts.push(part);
        if (answer.statusCode !== 200) reject(new Error(`${answer.statusCode} ${answer.statusMessage}`));
        else resolve(JSON.parse(Buffer.concat(parts)).data);
      });
      call.once("error", reject).end(body);
    });
  }
}
