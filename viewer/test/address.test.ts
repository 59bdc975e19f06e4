import assert from "node:assert/strict";
import { test } from "node:test";
import { websocketUrl } from "../src/address.js";

test("the websocket is beside the page, behind any prefix", () => {
  assert.equal(websocketUrl("https://portal.example.com/console/"), "wss://portal.example.com/console/ws");
  assert.equal(websocketUrl("https://portal.example.com/a/b/index.html"), "wss://portal.example.com/a/b/ws");
  assert.equal(websocketUrl("http://127.0.0.1:8700/"), "ws://127.0.0.1:8700/ws");
  assert.equal(websocketUrl("http://[::1]:8700/"), "ws://[::1]:8700/ws");
});

test("neither query nor fragment of the page reaches the websocket's address", () => {
  assert.equal(websocketUrl("https://h/console/?user=42#pass=secret"), "wss://h/console/ws");
});

test("a page that is served elsewhere knows where its relay is", () => {
  const page = "https://portal.example.com/viewer/?user=42#pass=secret";
  for (const relay of ["https://console.example.com/a", "https://console.example.com/a/"]) {
    assert.equal(websocketUrl(page, relay), "wss://console.example.com/a/ws");
  }
  assert.equal(websocketUrl(page, "http://127.0.0.1:8700"), "ws://127.0.0.1:8700/ws");
});
