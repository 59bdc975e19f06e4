"use strict";
// Keeping a process alive, or letting it go.

/** Something that keeps the event loop running from `begin` to `end`, unless it was told not to. */
class Stay {
  #port;
  #wanted = true;

  begin() {
    // A port that nobody writes to costs nothing, and unlike a timer never fires.
    this.#port ??= new MessageChannel().port1;
    this.#apply();
  }

  end() {
    this.#port?.close();
    this.#port = undefined;
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
    if (this.#wanted) this.#port?.ref();
    else this.#port?.unref();
  }
}

module.exports = { Stay };
