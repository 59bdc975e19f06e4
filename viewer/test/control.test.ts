import assert from "node:assert/strict";
import { test } from "node:test";
import { isCode, readControl, STAY } from "../src/control.js";

test("every step is read with its reference", () => {
  for (const step of ["ticket", "connect", "log_in", "ready"]) {
    const message = { type: "step", step, reference: "k3j9" };
    assert.deepEqual(readControl(JSON.stringify(message)), message);
  }
});

test("a step without a reference is read", () => {
  assert.deepEqual(readControl('{"type":"step","step":"ticket"}'), { type: "step", step: "ticket" });
});

test("a warning is read with its seconds", () => {
  const message = { type: "warning", code: "idle", seconds: 60 };
  assert.deepEqual(readControl(JSON.stringify(message)), message);
});

test("an end is read with its code, sentence and reference", () => {
  const message = { type: "end", code: "machine_not_running", sentence: "the machine is not running", reference: "k3j9" };
  assert.deepEqual(readControl(JSON.stringify(message)), message);
});

test("fields that are not known are left out", () => {
  const text = '{"type":"step","step":"ready","host":"pve1","reference":"r"}';
  assert.deepEqual(readControl(text), { type: "step", step: "ready", reference: "r" });
});

test("what is no message of ours is passed over", () => {
  const texts = [
    "",
    "hello",
    "null",
    "[]",
    '"step"',
    "{}",
    '{"type":"resize","width":1}',
    '{"type":"step","step":"fly"}',
    '{"type":"step","step":"toString"}',
    '{"type":"warning","code":"idle"}',
    '{"type":"warning","code":"idle","seconds":"60"}',
    '{"type":"warning","code":"idle","seconds":-1}',
    '{"type":"warning","code":"idle","seconds":1e99}',
    '{"type":"end","code":"idle"}',
    '{"type":"end","code":"Not a code","sentence":"x"}',
    '{"type":"end","sentence":"x"}',
  ];
  for (const text of texts) assert.equal(readControl(text), undefined, text);
});

test("a reference that no relay makes is not shown", () => {
  for (const reference of [7, "", "a b", "<b>", "x".repeat(65)]) {
    const text = JSON.stringify({ type: "step", step: "ready", reference });
    assert.deepEqual(readControl(text), { type: "step", step: "ready" }, String(reference));
  }
});

test("a text frame beyond the limit is not even parsed", () => {
  const end = { type: "end", code: "idle", sentence: "x" };
  assert.equal(readControl(JSON.stringify({ ...end, padding: "x".repeat(4096) })), undefined);
});

test("a long sentence is cut and not dropped", () => {
  const message = readControl(JSON.stringify({ type: "end", code: "idle", sentence: "x".repeat(3000) }));
  assert.ok(message?.type === "end");
  assert.equal(message.sentence.length, 500);
});

test("the wish to stay is the one message that the relay expects", () => {
  assert.deepEqual(JSON.parse(STAY), { type: "stay" });
});

test("a code is a lower-case name", () => {
  for (const code of ["idle", "machine_not_running"]) assert.ok(isCode(code), code);
  for (const code of ["", "Idle", "a-b", "a b", "_a", 4, undefined, "a".repeat(41)]) assert.ok(!isCode(code), String(code));
});
