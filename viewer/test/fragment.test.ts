import assert from "node:assert/strict";
import { test } from "node:test";
import { readFragment } from "../src/fragment.js";

test("the pass is what stands behind pass=", () => {
  assert.deepEqual(readFragment("#pass=r1.Zm9v-YmFy_42"), { kind: "pass", pass: "r1.Zm9v-YmFy_42" });
});

test("parameters of the portal's own do not disturb the pass", () => {
  assert.deepEqual(readFragment("#theme=dark&pass=abc&bypass=no"), { kind: "pass", pass: "abc" });
});

test("an address without a pass says none", () => {
  for (const hash of ["", "#", "#password=x", "#bypass=x", "#PASS=x"]) {
    assert.deepEqual(readFragment(hash), { kind: "none" }, hash);
  }
});

test("an empty pass is malformed", () => {
  for (const hash of ["#pass", "#pass=", "#pass=&x=1"]) assert.deepEqual(readFragment(hash), { kind: "malformed" }, hash);
});

test("a pass with a character that no pass has is malformed", () => {
  for (const pass of ["a b", "a%20b", "a,b", "a=b", 'a"b', "a#b", "pässe", "a\u0000b"]) {
    assert.deepEqual(readFragment(`#pass=${pass}`), { kind: "malformed" }, pass);
  }
});

test("two passes are malformed, since neither is the right one", () => {
  assert.deepEqual(readFragment("#pass=a&pass=b"), { kind: "malformed" });
});

test("a pass of 4096 characters is read and a longer one is not", () => {
  assert.equal(readFragment(`#pass=${"a".repeat(4096)}`).kind, "pass");
  assert.equal(readFragment(`#pass=${"a".repeat(4097)}`).kind, "malformed");
});
