"use strict";
// A pass: what a portal hands to a browser.

const { now } = require("./call.cjs");
const { ConsolepassError } = require("./errors.cjs");
const { RfbParameters } = require("./rfb_parameters.cjs");
const { hide, showAsJson } = require("./show.cjs");
const { options, text } = require("./values.cjs");

const MINT = Symbol("issued");

class Pass {
  #native;

  constructor(mint, native) {
    if (mint !== MINT) throw new ConsolepassError("invalid_argument", "pass: issue() of a relay or an issuer makes one");
    this.#native = native;
  }

  get url() {
    return this.#native.url;
  }

  get viewerUrl() {
    return this.#native.viewerUrl;
  }

  get subProtocol() {
    return this.#native.subProtocol;
  }

  get reference() {
    return this.#native.reference;
  }

  get expiresAt() {
    return new Date(this.#native.expiresAt);
  }

  novncUrl(page, pageOptions = {}) {
    const [address, given] = [text(page, "page"), options(pageOptions, "page")];
    return now(() => this.#native.novncUrl(address, given));
  }

  rfbParameters() {
    return new RfbParameters(this.#native.rfbParameters());
  }

  toJSON() {
    const { reference, expiresAt } = this;
    return { reference, expiresAt };
  }
}
showAsJson(Pass);
hide(Pass, ["url", "viewerUrl", "subProtocol"]);

module.exports = { Pass, newPass: (native) => new Pass(MINT, native) };
