"use strict";
// A console: a ticket with everything needed to use it.

const { now } = require("./call.cjs");
const { ConsolepassError } = require("./errors.cjs");
const { RfbParameters } = require("./rfb_parameters.cjs");
const { hide, showAsJson } = require("./show.cjs");
const { options, text } = require("./values.cjs");

const MINT = Symbol("made by a backend");

class Console {
  #native;

  constructor(mint, native) {
    if (mint !== MINT) throw new ConsolepassError("invalid_argument", "console: a backend's open() makes one");
    this.#native = native;
  }

  get machine() {
    return this.#native.machine;
  }

  get kind() {
    return this.#native.kind;
  }

  get address() {
    return this.#native.address ?? undefined;
  }

  get expiresAt() {
    return new Date(this.#native.expiresAt);
  }

  get websocketUrl() {
    return this.#native.websocketUrl ?? undefined;
  }

  get headers() {
    return Object.fromEntries(this.#native.headers);
  }

  get password() {
    return this.#native.password ?? undefined;
  }

  novncUrl(page, pageOptions = {}) {
    const [address, given] = [text(page, "page"), options(pageOptions, "page")];
    return now(() => this.#native.novncUrl(address, given));
  }

  rfbParameters() {
    return new RfbParameters(now(() => this.#native.rfbParameters()));
  }

  toJSON() {
    const { machine, kind, address, expiresAt } = this;
    return { machine, kind, address, expiresAt };
  }
}
showAsJson(Console);
hide(Console, ["websocketUrl", "headers", "password"]);

module.exports = { Console, newConsole: (native) => new Console(MINT, native) };
