import assert from "node:assert/strict";
import { test } from "node:test";
import { outcomeOfClose } from "../src/outcome.js";

const relayClosed = (code: number, reason = "", opened = true) =>
  outcomeOfClose({ by: "relay", opened, code, reason });

test("a close of ours without an end keeps its code's name", () => {
  const outcome = relayClosed(4026, "shutting_down");

  assert.deepEqual(outcome, { code: "shutting_down", sentence: "the console was closed (shutting down)" });
});

test("a close reason that is no code is not shown to anybody", () => {
  const outcome = relayClosed(4026, "<b>pve1.internal</b> said no");

  assert.ok(!JSON.stringify(outcome).includes("pve1"));
});

test("a connection that broke is told apart from one that never was", () => {
  assert.equal(relayClosed(1006).code, "connection_lost");
  assert.equal(relayClosed(1006, "", false).code, "relay_unreachable");
});

test("a normal close is just closed", () => {
  assert.equal(relayClosed(1000).code, "closed");
  assert.equal(relayClosed(1005).code, "closed");
});

test("a reverse proxy going away reads as a service that shuts down", () => {
  assert.equal(relayClosed(1001).code, "shutting_down");
});
