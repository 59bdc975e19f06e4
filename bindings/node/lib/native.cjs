"use strict";
// The addon: built for one platform, and not there at all in a copy of the sources.

const { join } = require("node:path");

const FILE = join(__dirname, "..", "native.node");

try {
  module.exports = require(FILE);
} catch (cause) {
  const here = `${process.platform}-${process.arch}, Node ${process.versions.node}`;
  const cure =
    cause.code === "MODULE_NOT_FOUND"
      ? "in a copy of the sources `make node-addon` builds it"
      : "install the package on the machine that runs it; it may have been copied from another kind";
  throw new Error(`consolepass: ${FILE} cannot be loaded on ${here}: ${cure}`, { cause });
}
