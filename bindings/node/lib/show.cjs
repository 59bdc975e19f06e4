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

module.exports = { showAsJson };
