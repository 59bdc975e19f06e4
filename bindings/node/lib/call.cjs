"use strict";
// Calls of the addon, whose failures become errors of ours.

const { failure } = require("./errors.cjs");
const native = require("./native.cjs");
const { checkSignal, follow, throwIfAborted } = require("./signal.cjs");

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
  const unfollow = follow(signal, () => abort.abort());
  try {
    return await start(abort);
  } catch (raw) {
    throwIfAborted(signal);
    throw failure(raw);
  } finally {
    unfollow();
  }
}

module.exports = { later, now };
