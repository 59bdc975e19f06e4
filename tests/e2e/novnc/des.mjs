// What a browser must answer to VNC authentication's challenge (RFC 6143, 7.2.2).

import { createCipheriv } from "node:crypto";

/**
 * DES with the password's first 8 bytes as the key, each byte's bits in reverse order.
 * @param {string} password
 * @param {Buffer} challenge 16 bytes
 */
export function vncResponse(password, challenge) {
  const key = Buffer.alloc(8);
  Buffer.from(password, "latin1").copy(key, 0, 0, 8);
  const mirrored = key.map(mirror);
  // Triple DES with one key three times is DES, which OpenSSL 3 no longer offers by itself.
  const cipher = createCipheriv("des-ede3-ecb", Buffer.concat([mirrored, mirrored, mirrored]), null);
  cipher.setAutoPadding(false);
  return Buffer.concat([cipher.update(challenge), cipher.final()]);
}

function mirror(byte) {
  let mirrored = 0;
  for (let bit = 0; bit < 8; bit += 1) mirrored |= ((byte >> bit) & 1) << (7 - bit);
  return mirrored;
}
