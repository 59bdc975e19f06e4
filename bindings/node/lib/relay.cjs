"use strict";
// A relay: it issues passes, and serves the browsers that bring them.

const { EventEmitter } = require("node:events");
const { nativeOf } = require("./backends.cjs");
const { later, now } = require("./call.cjs");
const { invalid } = require("./errors.cjs");
const { checkUpgrade, handOver, head, target } = require("./hosting.cjs");
const { issueWith } = require("./issuer.cjs");
const native = require("./native.cjs");
const { Pass } = require("./pass.cjs");
const { showAsJson } = require("./show.cjs");
const { Stay } = require("./stay.cjs");
const { tellTo } = require("./telling.cjs");
const { callOptions, checkOptions, kindOf, options, text } = require("./values.cjs");

/** Relays that listen: they stay, even if the program has dropped its own reference. */
const listening = new Set();

class Relay extends EventEmitter {
  #native;
  #publicUrl;
  #prefix;
  #stay = new Stay();
  /** Settles when the relay has ended and all events were told. */
  #told;

  constructor(given) {
    super();
    checkOptions(given, "relay");
    const { backends, ...rest } = given;
    const named = options(rest, "relay");
    const made = nativeBackends(backends);
    this.#native = now(() => new native.Relay(made, named));
    this.#publicUrl = rest.publicUrl;
    this.#prefix = new URL(rest.publicUrl).pathname.replace(/\/+$/, "");
    this.#told = tellTo(this, (callback) => now(() => this.#native.listen(callback)));
  }

  async start() {
    const address = await later(() => this.#native.start());
    listening.add(this);
    this.#stay.begin();
    this.#told.then(() => {
      listening.delete(this);
      this.#stay.end();
    });
    return address;
  }

  async issue(backend, machine, passOptions = {}) {
    return issueWith(this.#native, backend, machine, passOptions);
  }

  async revoke(pass, given = {}) {
    const { signal } = callOptions(given, "revoke", ["signal"]);
    const reference = pass instanceof Pass ? pass.reference : text(pass, "reference");
    return later((abort) => this.#native.revoke(reference, abort), signal);
  }

  async stop(given = {}) {
    const { signal } = callOptions(given, "stop", ["signal"]);
    // What is waited for keeps a process alive, even where the relay itself does not.
    const stay = new Stay().begin();
    try {
      await later((abort) => this.#native.stop(abort), signal);
      await this.#told;
    } finally {
      stay.end();
    }
  }

  handleUpgrade(req, socket, read) {
    checkUpgrade(req, socket, read);
    handOver(this.#native, socket, Buffer.concat([head(req, this.#prefix), read ?? Buffer.alloc(0)]));
  }

  handleRequest(req, res) {
    if (typeof req?.method !== "string" || typeof req.url !== "string") throw invalid("req", kindOf(req), "must be a request");
    if (typeof res?.writeHead !== "function") throw invalid("res", kindOf(res), "must be a response");
    const [path] = target(req, this.#prefix);
    const { status, headers, body } = now(() => this.#native.answer(req.method, path));
    // Node leaves the body of an answer to HEAD out by itself.
    res.writeHead(status, { ...Object.fromEntries(headers), "content-length": body.length }).end(body);
  }

  get address() {
    return this.#native.address ?? undefined;
  }

  get publicUrl() {
    return this.#publicUrl;
  }

  get sessionCount() {
    return this.#native.sessionCount;
  }

  /** Whether a relay that listens keeps the process alive; as of `net.Server`. */
  ref() {
    this.#stay.ref();
    return this;
  }

  unref() {
    this.#stay.unref();
    return this;
  }

  toJSON() {
    const { publicUrl, address, sessionCount } = this;
    return { publicUrl, address, sessionCount };
  }
}
showAsJson(Relay);
// Node has it from 20.5 on.
if (Symbol.asyncDispose !== undefined) {
  Object.defineProperty(Relay.prototype, Symbol.asyncDispose, {
    value() {
      return this.stop();
    },
  });
}

function nativeBackends(backends) {
  if (typeof backends !== "object" || backends === null || Array.isArray(backends)) {
    throw invalid("relay: backends", kindOf(backends), "must be an object with a backend under each name");
  }
  const made = new native.Backends();
  for (const [name, backend] of Object.entries(backends)) {
    const key = `relay: backends: ${text(name, "relay: a backend's name")}`;
    const inside = nativeOf(backend);
    if (inside === undefined) throw invalid(key, kindOf(backend), "must be a Proxmox or a Vnc");
    made.add(name, inside);
  }
  return made;
}

module.exports = { Relay };
