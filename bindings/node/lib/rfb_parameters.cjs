"use strict";
// What a page of one's own gives to noVNC.

const { hide } = require("./show.cjs");

class RfbParameters {
  #url;
  #password;

  constructor({ url, password }) {
    this.#url = url;
    this.#password = password ?? undefined;
  }

  get url() {
    return this.#url;
  }

  get password() {
    return this.#password;
  }
}
hide(RfbParameters, ["url", "password"]);

module.exports = { RfbParameters };
