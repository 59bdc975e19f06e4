"use strict";
// What the addon tells of its own accord, on its way to listeners.

/**
 * Emits on `emitter` what `listen` tells. The emitter is not kept for it: what nobody has any more can be collected.
 * Returns a promise that resolves when the addon has nothing more to tell.
 */
function tellTo(emitter, listen) {
  let done;
  const over = new Promise((resolve) => (done = resolve));
  listen(tellerTo(new WeakRef(emitter), done));
  return over;
}

// Not within `tellTo`: what lives as long as the addon tells would keep all that is in reach there.
function tellerTo(place, done) {
  return (told) => {
    if (told === null) return done();
    const here = place.deref();
    for (const one of told) emit(here, one);
  };
}

/** A listener that throws ends what it would have ended anywhere, and keeps nothing from the others. */
function emit(emitter, { type, at, ...rest }) {
  try {
    emitter?.emit(type, type === "lost" ? rest : { type, at: new Date(at), ...rest });
  } catch (error) {
    process.nextTick(() => {
      throw error;
    });
  }
}

module.exports = { tellTo };
