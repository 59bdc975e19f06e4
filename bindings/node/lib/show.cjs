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
 * Has the members that are secrets read by their names, and never listed. `console.dir` obeys no custom looks, and where it is to
 * show what is hidden and to call getters it calls those of an object's prototypes, up to one that is a built-in's: so they move
 * behind the type's own prototype, to one that calls itself Object's.
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
