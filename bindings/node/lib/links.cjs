"use strict";
// Links that need no open console.

const { now } = require("./call.cjs");
const { invalid } = require("./errors.cjs");
const native = require("./native.cjs");
const { kindOf, text } = require("./values.cjs");

function members(given, call, names) {
  if (typeof given !== "object" || given === null) throw invalid(call, kindOf(given), "must be an object");
  return names.map((name) => text(given[name], `${call}: ${name}`));
}

function cloudtowerDirect(answer) {
  const given = members(answer, "cloudtowerDirect", ["clusterIp", "vmUuid", "hostIp", "rawToken"]);
  return now(() => native.cloudTowerDirect(...given));
}

function cloudtowerVia(answer) {
  const given = members(answer, "cloudtowerVia", ["cloudtower", "vmUuid", "hostIp", "token"]);
  return now(() => native.cloudTowerVia(...given));
}

module.exports = { cloudtowerDirect, cloudtowerVia };
