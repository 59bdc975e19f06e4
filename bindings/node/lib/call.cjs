"use strict";
// Calls of the addon, whose failures become errors of ours.

const { failure, invalid } = require("./errors.cjs");
const native = require("./native.cjs");
const { kindOf } = require("./values.cjs");

function now(start) {
  try {
    return start();
  } catch (raw) {
    throw failure(raw);
  }
}

/** Waits for what `start` begins, until `signal` says that nobody wants it any more: then what it does is dropped at once. */
async function later(start, signal) {
  if (signal === undefined) {
    try {
      return await start(undefined);
    } catch (raw) {
      throw failure(raw);
    }
  }
  checkSignal(signal);
  throwIfAborted(signal);
  const abort = new native.Abort();
  const onAbort = () => abort.abort();
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await start(abort);
  } catch (raw) {
    throwIfAborted(signal);
    throw failure(raw);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** Not by its class: test runners have several of each, and packages have made signals since before Node did. */
function checkSignal(signal) {
  const isEventTarget = ["addEventListener", "removeEventListener"].every((name) => typeof signal?.[name] === "function");
  if (!isEventTarget || typeof signal.aborted !== "boolean") throw invalid("signal", kindOf(signal), "must be an AbortSignal");
}

/** Signals of packages have no method for it, and older ones no reason. */
function throwIfAborted(signal) {
  if (!signal.aborted) return;
  throw signal.reason === undefined ? new DOMException("This operation was aborted", "AbortError") : signal.reason;
}

module.exports = { later, now };
