// A program that was started here and is ended here, by its own process and no other.

import { spawn } from "node:child_process";

const PATIENCE = 5000;

/** Starts a program. Its standard error is kept; `onLine` gets each line of its standard output. */
export function start(program, args, { env = {}, onLine } = {}) {
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  let errors = "";
  let rest = "";
  child.stderr.setEncoding("utf8").on("data", (text) => (errors += text));
  child.stdout.setEncoding("utf8").on("data", (text) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop();
    for (const line of lines) onLine?.(line);
  });
  // A library that ends this process by itself must leave nothing behind.
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  child.once("close", () => process.off("exit", kill));
  const ended = new Promise((resolve) => {
    child.once("error", (error) => resolve(`${program} cannot be started: ${error.message}`));
    child.once("close", (code, signal) => resolve(`${program} ended (${signal ?? code}): ${errors.trim().split("\n").at(-1)}`));
  });
  return {
    ended,
    pid: child.pid,
    get errors() {
      return errors;
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGTERM");
      const late = setTimeout(() => child.kill("SIGKILL"), PATIENCE);
      await ended;
      clearTimeout(late);
    },
  };
}

/** Waits until `condition` gives something, or fails with what was waited for. */
export async function until(what, condition, milliseconds = 20_000) {
  const end = Date.now() + milliseconds;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`waited ${milliseconds / 1000} s in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
