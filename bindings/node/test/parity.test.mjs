// One truth for all: the names here are those of the two tables, spelled in camelCase, and nothing else.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { ConsolepassError, Issuer, Proxmox, Relay, Vnc, codes } from "../index.mjs";
import * as es from "../index.mjs";
import { camelCase, describedMembers } from "./support/names.mjs";

const here = (path) => new URL(path, import.meta.url);
const tables = JSON.parse(await readFile(here("../../../tests/tables.json"), "utf8"));
const types = await readFile(here("../index.d.ts"), "utf8");

/** What an interface of options has besides the table's rows. */
const OWN = { Relay: ["backends"], Pass: [], Proxmox: [], Vnc: [], Issuer: [], Page: [] };
const TYPES = { string: "string", secret: "string", boolean: "boolean", integer: "number", seconds: "number", list: "string | readonly string[]" };

const snakeCased = tables.options.map(({ name }) => name).filter((name) => name.includes("_"));
const inCamelCase = (text) => text.replace(new RegExp(`\\b(${snakeCased.join("|")})\\b`, "g"), camelCase);

/** The members of an interface, with their types and what is written above them. */
function membersOf(name) {
  const [, body] = new RegExp(`interface ${name}Options(?: extends CallOptions)? \\{\\n([^]*?)\\n\\}`).exec(types);
  const members = body.matchAll(/ {2}\/\*\*([^]*?)\*\/\n {2}(\w+)(\??): ([^;]+);/g);
  return [...members].map(([, words, member, optional, type]) => ({
    member,
    type: type.replace(" | undefined", ""),
    optional: optional !== "",
    words: words.replace(/\s*\n\s*\* ?/g, " ").trim(),
  }));
}

for (const scope of new Set(tables.options.map((row) => row.scope))) {
  const name = scope[0].toUpperCase() + scope.slice(1);

  test(`the options of ${name} are the table's, in camelCase, with its types and words`, () => {
    const members = membersOf(name).filter(({ member }) => !OWN[name].includes(member));

    const rows = tables.options.filter((row) => row.scope === scope);
    const expected = rows.map((row) => ({
      member: camelCase(row.name),
      type: row.name === "kind" ? "Kind" : TYPES[row.type],
      optional: true,
      words: inCamelCase(row.meaning) + (row.default === null ? "" : ` Default: ${row.default}.`),
    }));
    assert.deepEqual(members, expected);
  });
}

/** Makes something with one option alone, and returns what is said about it. */
async function said(scope, name, value) {
  const given = { [name]: value };
  const made = {
    proxmox: () => new Proxmox(given),
    vnc: () => new Vnc(given),
    relay: () => new Relay({ backends: { desk: new Vnc({ host: "h" }) }, ...given }),
    issuer: () => new Issuer(given),
    pass: () => new Relay({ backends: { desk: new Vnc({ host: "h" }) }, publicUrl: "http://p.test" }).issue("desk", "d", given),
    page: async () => (await new Vnc({ host: "127.0.0.1" }).open("d")).novncUrl("https://p.test/vnc.html", given),
  };
  const error = await (async () => made[scope]())().catch((error) => error);
  return error instanceof ConsolepassError ? error.message : "";
}

test("every name of the table is known under its own name here, and under no other", async () => {
  for (const { scope, name } of tables.options) {
    const camel = camelCase(name);
    // No option is an array with a number in it: what is known is refused for that.
    assert.match(await said(scope, camel, [7]), new RegExp(`^${scope}: ${camel}: `), `${scope}: ${camel}`);
    if (camel !== name) assert.match(await said(scope, name, "x"), /unknown option/, `${scope}: ${name}`);
  }
  assert.match(await said("relay", "hosts", "x"), /^relay: unknown option "hosts"; the options are listen, publicUrl, /);
});

test("the codes are the table's, here and in the types", () => {
  const expected = tables.codes.map(({ name, number, sentence, hint, retryable }) => [
    name,
    { number, sentence, hint: inCamelCase(hint), retryable },
  ]);

  assert.deepEqual(codes, Object.fromEntries(expected));
  for (const { name, sentence } of tables.codes) assert.equal(new ConsolepassError(name, "in words").sentence, sentence);
  const [, union] = /export type Code =\n([^;]*);/.exec(types);
  assert.deepEqual([...union.matchAll(/"(\w+)"/g)].map(([, name]) => name), tables.codes.map(({ name }) => name));
});

test("everything that is exported has a type, and the other way round", () => {
  const declared = [...types.matchAll(/^export (?:const|class|function) (\w+)/gm)].map(([, name]) => name);

  assert.deepEqual(declared.sort(), Object.keys(es).sort());
});

test("every member of a class has a type, and the other way round", () => {
  for (const [, name, body] of types.matchAll(/^export class (\w+)[^{]*\{\n([^]*?)\n\}/gm)) {
    const declared = [...body.matchAll(/^ {2}(?:(static) )?(?:readonly )?(\w+)\??[(:]/gm)]
      .filter(([, , member]) => member !== "constructor")
      .map(([, isStatic, member]) => (isStatic ? `static ${member}` : member));
    const type = es[name];
    const members = Object.keys(describedMembers(type));
    const statics = Object.getOwnPropertyNames(type).filter((member) => !["length", "name", "prototype"].includes(member));
    const own = name === "ConsolepassError" ? Object.keys(new ConsolepassError("internal", "", { httpStatus: 1, fingerprint: "", reference: "" })).concat("cause") : [];

    assert.deepEqual(declared.sort(), [...members, ...own, ...statics.map((member) => `static ${member}`)].sort(), name);
  }
});
