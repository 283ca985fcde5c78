// Where Chromium is on this machine, and how the tests start it. Knows nothing about installing one.

import { accessSync, constants } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge"];
const PLACES = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
];

/**
 * No sandbox, because tests also run as root in containers; the rest keeps the browser off the network and quiet.
 * @type {readonly string[]}
 */
export const chromiumFlags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/**
 * The browser to test with: `EDGEWISE_CHROMIUM`, one on the PATH, one in the usual place, or the one Playwright installed.
 * @returns {string | undefined}
 */
export function findChromium() {
  const named = process.env["EDGEWISE_CHROMIUM"];
  if (named !== undefined && named !== "") return named;
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  const candidates = folders.flatMap((folder) => NAMES.map((name) => join(folder, name)));
  return [...candidates, ...PLACES].find(isExecutable) ?? playwrightChromium();
}

/** @returns {string | undefined} */
function playwrightChromium() {
  // Resolved lazily: this file is also read before the dependencies are installed.
  try {
    const path = createRequire(import.meta.url)("playwright").chromium.executablePath();
    return isExecutable(path) ? path : undefined;
  } catch {
    return undefined;
  }
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
