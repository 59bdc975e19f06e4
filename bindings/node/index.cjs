"use strict";
// consolepass for Node. One implementation: `index.mjs` has the same classes from here.

const { Console } = require("./lib/console.cjs");
const { ConsolepassError, codes } = require("./lib/errors.cjs");
const { Proxmox, Vnc } = require("./lib/backends.cjs");
const { cloudtowerDirect, cloudtowerVia } = require("./lib/links.cjs");
const { Issuer } = require("./lib/issuer.cjs");
const { log } = require("./lib/log.cjs");
const { Pass } = require("./lib/pass.cjs");
const { Relay } = require("./lib/relay.cjs");
const { version } = require("./lib/native.cjs");

module.exports = {
  Console,
  ConsolepassError,
  Issuer,
  Pass,
  Proxmox,
  Relay,
  Vnc,
  cloudtowerDirect,
  cloudtowerVia,
  codes,
  log,
  version: version(),
};
