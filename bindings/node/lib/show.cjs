"use strict";
// How our objects look where they are printed: by what is safe to show, and nothing else.

const { inspect } = require("node:util");

/** Gives a class the members of `toJSON` as its looks in `console.log`. */
function showAsJson(type) {
  Object.defineProperty(type.prototype, inspect.custom, {
    value(depth, options) {
      return depth < 0 ? `[${type.name}]` : `${type.name} ${inspect(this.toJSON(), options)}`;
    },
  });
}

/**
 * Keeps members that are secrets out of every listing; by their names they are read as before. With `showHidden` and `getters`,
 * `console.dir` ignores `inspect.custom` and calls the getters of each prototype, and stops at the first whose `constructor` is a
 * built-in's. So these members move to a prototype behind the type's own, with `Object` as its `constructor`.
 */
function hide(type, names) {
  const behind = Object.create(Object.getPrototypeOf(type.prototype), { constructor: { value: Object } });
  for (const name of names) {
    Object.defineProperty(behind, name, Object.getOwnPropertyDescriptor(type.prototype, name));
    delete type.prototype[name];
  }
  Object.setPrototypeOf(type.prototype, behind);
}

module.exports = { hide, showAsJson };
