"use strict";
// Backends: one management API with the credentials for it.

const { later, now } = require("./call.cjs");
const { newConsole } = require("./console.cjs");
const native = require("./native.cjs");
const { fromClient, fromEngine } = require("./takeover.cjs");
const { callOptions, options, text } = require("./values.cjs");

let nativeOf;

class Backend {
  #native;

  constructor(made) {
    this.#native = made;
  }

  async open(machine, given = {}) {
    const { kind = "vnc", signal } = callOptions(given, "open", ["kind", "signal"]);
    const name = text(machine, "machine");
    const word = text(kind, "kind");
    return newConsole(await later((abort) => this.#native.open(name, word, abort), signal));
  }

  static {
    nativeOf = (value) => (typeof value === "object" && value !== null && #native in value ? value.#native : undefined);
  }
}

class Proxmox extends Backend {
  constructor(given) {
    const named = options(given, "proxmox");
    super(now(() => native.Backend.proxmox(named)));
  }

  static fromProxmoxApi(engine, given) {
    return new this(fromEngine(engine, given));
  }

  static fromPveClient(client, given) {
    return new this(fromClient(client, given));
  }
}

class Vnc extends Backend {
  constructor(given) {
    const named = options(given, "vnc");
    super(now(() => native.Backend.vnc(named)));
  }
}

module.exports = { Backend, Proxmox, Vnc, nativeOf };
