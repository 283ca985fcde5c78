#!/usr/bin/env node
// What starts the command line on any Node from 20 on: installs what is missing, then runs main.ts, in this process when it is
// new enough, else under the Node of the repository. Knows no command.

import { spawn } from "node:child_process";
import { existsSync, realpathSync, statSync } from "node:fs";
import module from "node:module";
import { join } from "node:path";
import { constants } from "node:os";
import process from "node:process";
import { CODE_CACHE, installPackages, nodeToUse, root } from "../scripts/setup.mjs";

if (!isFresh()) installPackages("what is served");
if (Number(process.versions.node.split(".")[0]) >= 24) await runHere();
else runUnder(nodeToUse());

/** Newer than the lock file is the record that npm leaves of what it installed; else a closer look decides. */
function isFresh() {
  const record = join(root, "node_modules", ".package-lock.json");
  return existsSync(record) && statSync(record).mtimeMs >= statSync(join(root, "package-lock.json")).mtimeMs;
}

async function runHere() {
  // Modules are stripped of types and compiled once; this halves the time to start.
  module.enableCompileCache(CODE_CACHE);
  await import("./main.ts");
}

/** @param {string} node */
function runUnder(node) {
  const script = realpathSync(process.argv[1] ?? "");
  // The channel tells it when this process is gone, however it went.
  const child = spawn(node, [script, ...process.argv.slice(2)], { stdio: ["inherit", "inherit", "inherit", "ipc"] });
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) process.on(signal, () => child.kill(signal));
  child.once("exit", (code, signal) => {
    process.exitCode = code ?? 128 + (signal === null ? 1 : constants.signals[signal]);
  });
}
