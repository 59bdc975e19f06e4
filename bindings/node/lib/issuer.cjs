"use strict";
// An issuer: it makes passes for a relay that runs elsewhere, and nothing else.

const { later, now } = require("./call.cjs");
const native = require("./native.cjs");
const { newPass } = require("./pass.cjs");
const { checkOptions, options, text } = require("./values.cjs");

class Issuer {
  #native;

  constructor(given) {
    const named = options(given, "issuer");
    this.#native = now(() => new native.Issuer(named));
  }

  async issue(backend, machine, passOptions = {}) {
    return issueWith(this.#native, backend, machine, passOptions);
  }
}

/** Issues a pass by something of the addon that can. */
async function issueWith(issuer, backend, machine, passOptions) {
  checkOptions(passOptions, "pass");
  const { signal, ...rest } = passOptions;
  const [name, which, named] = [text(backend, "backend"), text(machine, "machine"), options(rest, "pass")];
  return newPass(await later((abort) => issuer.issue(name, which, named, abort), signal));
}

module.exports = { Issuer, issueWith };
