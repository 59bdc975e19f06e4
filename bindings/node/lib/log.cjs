"use strict";
// What the library logs: for whoever listens, and else its warnings as Node's own are shown.

const { EventEmitter } = require("node:events");
const { invalid } = require("./errors.cjs");
const native = require("./native.cjs");
const { kindOf } = require("./values.cjs");

const LEVELS = ["error", "warn", "info", "debug", "trace"];
/** Without a listener. */
const WARNINGS = "warn";

class Log extends EventEmitter {
  #native;
  #level = "info";

  constructor() {
    super();
    this.#native = new native.Log((lines) => lines.forEach((line) => this.#tell(line)));
    this.#native.setLevel(WARNINGS);
    this.on("newListener", (name) => name === "log" && this.#native.setLevel(this.#level));
    this.on("removeListener", (name) => name === "log" && this.listenerCount("log") === 0 && this.#native.setLevel(WARNINGS));
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
    if (this.listenerCount("log") > 0) this.#native.setLevel(level);
  }

  #tell({ at, level, target, message, fields }) {
    if (this.listenerCount("log") > 0) {
      const line = { at: new Date(at), level, target, message, fields: Object.fromEntries(fields) };
      try {
        this.emit("log", line);
      } catch (error) {
        process.nextTick(() => {
          throw error;
        });
      }
    } else if (LEVELS.indexOf(level) <= LEVELS.indexOf(WARNINGS)) {
      const rest = fields.map(([name, value]) => ` ${name}=${value}`).join("");
      process.emitWarning(message + rest, "ConsolepassWarning");
    }
  }
}

module.exports = { log: new Log() };
