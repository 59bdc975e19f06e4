// Takes the pass out of the address, as a side effect of being the first module that main.ts imports: before noVNC's
// modules are evaluated, before anything is drawn, and before an extension or a person can copy the address.

import { readFragment } from "./fragment.js";

export const arrival = readFragment(location.hash);

// `replaceState`, not `location.hash = ""`: that would leave the pass one step back in the history.
history.replaceState(null, "", location.pathname + location.search);

// A portal that opens the next console in this same tab changes nothing but the fragment, and then the browser does not
// load the page again by itself.
addEventListener("hashchange", () => {
  if (readFragment(location.hash).kind !== "none") location.reload();
});
