// A certificate of its own for one test.

import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** @returns {Promise<{ key: string, certificate: string, fingerprint: string }>} */
export async function makeIdentity() {
  const folder = await mkdtemp(join(tmpdir(), "consolepass-identity-"));
  try {
    const [key, certificate] = [join(folder, "key.pem"), join(folder, "certificate.pem")];
    const subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
    const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1"];
    await promisify(execFile)("openssl", ["req", "-x509", ...kind, ...subject, "-keyout", key, "-out", certificate]);
    const pem = await readFile(certificate, "utf8");
    return { key: await readFile(key, "utf8"), certificate: pem, fingerprint: new X509Certificate(pem).fingerprint256 };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
