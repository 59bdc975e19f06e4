import assert from "node:assert/strict";
import { test } from "node:test";
import { asSentence, wordsOfWarning } from "../src/words.js";

test("the relay's words become a sentence", () => {
  assert.equal(asSentence("the machine is not running"), "The machine is not running.");
  assert.equal(asSentence("Why?"), "Why?");
});

test("only a warning about idleness says that using the console helps", () => {
  assert.match(wordsOfWarning("idle", 60), /Nobody has used .* 60 seconds\./);
  assert.match(wordsOfWarning("time_limit", 1), /^This console will be closed in 1 second\.$/);
});
