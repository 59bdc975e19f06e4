"use strict";
// Keeping a process alive, or letting it go.

/** Something that keeps the event loop running from `begin` to `end`, unless it was told not to. */
class Stay {
  /** A channel that nobody writes to costs nothing, and unlike a timer never fires. Both ends are kept: one alone closes. */
  #channel;
  #wanted = true;

  begin() {
    this.#channel ??= new MessageChannel();
    this.#apply();
    return this;
  }

  end() {
    this.#channel?.port1.close();
    this.#channel = undefined;
  }

  ref() {
    this.#wanted = true;
    this.#apply();
  }

  unref() {
    this.#wanted = false;
    this.#apply();
  }

  #apply() {
    if (this.#wanted) this.#channel?.port1.ref();
    else this.#channel?.port1.unref();
  }
}

module.exports = { Stay };
