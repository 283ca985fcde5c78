// `npm test`: from a fresh clone to the runner's summary. Without arguments everything: the checks, then every test in every
// runtime. Arguments go to vitest, and then only what they name is run.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { findChromium } from "./chromium.mjs";
import { prepare, root, run } from "./setup.mjs";

const args = process.argv.slice(2);
prepare(import.meta.url);
if (needsBrowser() && findChromium() === undefined) installChromium();

const checked = args.length > 0 || run(process.execPath, [join(root, "scripts", "check.mjs")]);
const tested = run(process.execPath, [join(root, "node_modules", "vitest", "vitest.mjs"), "run", ...args]);
if (!checked) console.error("A check failed before the tests ran; see above.");
process.exit(checked && tested ? 0 : 1);

function needsBrowser() {
  const projects = args.flatMap((arg, at) => (arg === "--project" ? [args[at + 1]] : arg.startsWith("--project=") ? [arg.slice(10)] : []));
  return projects.length === 0 || projects.includes("browser");
}

function installChromium() {
  console.log("Installing Chromium for the tests that run in a browser");
  const apt = existsSync("/usr/bin/apt-get") && process.getuid?.() === 0;
  if (apt && run("apt-get", ["update"]) && run("apt-get", ["install", "-y", "--no-install-recommends", "chromium"])) {
    if (findChromium() !== undefined) return;
  }
  run(process.execPath, [join(root, "node_modules", "playwright-core", "cli.js"), "install", "chromium"]);
  if (findChromium() !== undefined) return;
  console.error("No Chromium was found or could be installed: put its path into EDGEWISE_CHROMIUM.");
  process.exit(1);
}
