// What the part of the address behind `#` says.

/** What the fragment held: one pass, none, or something that no relay can have written. */
export type Fragment = { kind: "pass"; pass: string } | { kind: "none" } | { kind: "malformed" };

// Passes are base64url, with dots between their parts. Anything else is refused here, because the WebSocket constructor
// repeats a sub-protocol that it does not like in its exception, and that text may end in somebody's error tracker.
const PASS = /^[A-Za-z0-9._~-]{1,4096}$/;

/** Reads `#pass=…`. Other parameters are left alone, so that a portal may add its own. */
export function readFragment(hash: string): Fragment {
  const passes = hash
    .replace(/^#/, "")
    .split("&")
    .filter((part) => part === "pass" || part.startsWith("pass="))
    .map((part) => part.slice("pass=".length));
  const [pass, second] = passes;
  if (pass === undefined) return { kind: "none" };
  if (second !== undefined || !PASS.test(pass)) return { kind: "malformed" };
  return { kind: "pass", pass };
}
