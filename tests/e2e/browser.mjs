// A fresh Chromium for a test: nothing remembered from before, nothing sent anywhere but to the test's own servers.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { Record } from "./record.mjs";

const EXECUTABLE = process.env.CONSOLEPASS_CHROMIUM ?? "/usr/bin/chromium";

// `--no-sandbox`: tests run as root in containers. The rest keeps Chromium from talking to its maker.
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/**
 * Starts a browser with an empty profile.
 * @param {{ viewport?: { width: number, height: number } }} [options]
 */
export async function openBrowser({ viewport = { width: 1024, height: 700 } } = {}) {
  const profile = await mkdtemp(join(tmpdir(), "consolepass-chromium-"));
  const removeProfile = () => rm(profile, { recursive: true, force: true, maxRetries: 5 });
  let context;
  try {
    context = await chromium.launchPersistentContext(profile, {
      executablePath: EXECUTABLE,
      headless: true,
      // What it leaves behind when it is ended in a hurry goes with its profile.
      env: { ...process.env, TMPDIR: profile },
      args: FLAGS,
      viewport,
    });
  } catch (error) {
    await removeProfile();
    throw error;
  }
  return {
    context,
    /** A new tab, and the record of everything that goes in and out of it from its first byte on. */
    async newPage() {
      const page = await context.newPage();
      return { page, record: await Record.of(page) };
    },
    async close() {
      await context.close();
      await removeProfile();
    },
  };
}
