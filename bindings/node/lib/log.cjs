"use strict";
// What the library logs: for whoever listens, and else its warnings as Node's own are shown.

const { EventEmitter } = require("node:events");
const { inCamelCase, invalid } = require("./errors.cjs");
const native = require("./native.cjs");
const { kindOf } = require("./values.cjs");

const LEVELS = ["error", "warn", "info", "debug", "trace"];
/** After each of these there may be a listener more or less. */
const CHANGES = [
  ...["addListener", "on", "once", "prependListener", "prependOnceListener"],
  ...["removeListener", "off", "removeAllListeners"],
];
/** What is shown without a listener. */
const WARNINGS = ["error", "warn"];

class Log extends EventEmitter {
  #native;
  #level;

  constructor() {
    super();
    this.#native = new native.Log((lines) => lines.forEach((line) => this.#tell(line)));
    this.level = "info";
  }

  get level() {
    return this.#level;
  }

  set level(level) {
    if (!LEVELS.includes(level)) {
      const shown = typeof level === "string" ? JSON.stringify(level) : kindOf(level);
      throw invalid("log: level", shown, `accepted are ${LEVELS.join(", ")}`);
    }
    this.#level = level;
    this.#follow();
  }

  /** Lines that nobody listens to are not made. */
  #follow() {
    this.#native?.setLevel(this.listenerCount("log") > 0 ? this.#level : WARNINGS.at(-1));
  }

  static {
    for (const name of CHANGES) {
      Object.defineProperty(this.prototype, name, {
        value(...args) {
          EventEmitter.prototype[name].apply(this, args);
          this.#follow();
          return this;
        },
      });
    }
  }

  #tell({ at, level, target, message: words, fields: pairs }) {
    // Where an option is spoken of, it has the name that it has here.
    const message = inCamelCase(words);
    const fields = pairs.map(([name, value]) => [name, name === "hint" ? inCamelCase(value) : value]);
    if (this.listenerCount("log") > 0) {
      const line = { at: new Date(at), level, target, message, fields: Object.fromEntries(fields) };
      try {
        this.emit("log", line);
      } catch (error) {
        process.nextTick(() => {
          throw error;
        });
      }
    } else if (WARNINGS.includes(level)) {
      const rest = fields.map(([name, value]) => ` ${name}=${value}`).join("");
      process.emitWarning(message + rest, "ConsolepassWarning");
    }
  }
}

module.exports = { log: new Log() };
