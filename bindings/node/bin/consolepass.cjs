#!/usr/bin/env node
"use strict";
// The consolepass command: `npx consolepass --help`. It runs in this process, and Ctrl-C and SIGTERM are its own.

const { run } = require("../lib/native.cjs");

process.exitCode = run(["consolepass", ...process.argv.slice(2)]);
