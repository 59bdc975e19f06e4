// Random tickets of the 2026 generation, `<8 characters>:PVEVNC:<hex>::<base64>`, and worse: in each is every character that
// means something in a URL.

import { randomBytes, randomInt } from "node:crypto";

const MEANINGFUL = [..."%&+#;=/?\"'<>:\\"];

/** @returns {{ ticket: string, password: string }} */
export function randomTicket() {
  return ticketWith(MEANINGFUL);
}

/** With spaces in ticket and password, which no hypervisor gives. */
export function randomTicketWithSpace() {
  return ticketWith([...MEANINGFUL, " "]);
}

function ticketWith(meaningful) {
  // Half of them meaningful, the rest any of 0x21 to 0x60, which the hypervisor chooses from.
  const printable = () =>
    randomInt(2) === 0 ? meaningful[randomInt(meaningful.length)] : String.fromCharCode(randomInt(0x21, 0x61));
  const password = shuffled([meaningful.at(-1), ...Array.from({ length: 7 }, printable)]).join("");
  const evil = shuffled([...meaningful, ...Array.from({ length: 12 }, printable)]).join("");
  const time = randomBytes(4).toString("hex").toUpperCase();
  return { ticket: `${password}:PVEVNC:${time}::${evil}${randomBytes(130).toString("base64")}`, password };
}

function shuffled(items) {
  for (let last = items.length - 1; last > 0; last -= 1) {
    const other = randomInt(last + 1);
    [items[last], items[other]] = [items[other], items[last]];
  }
  return items;
}
