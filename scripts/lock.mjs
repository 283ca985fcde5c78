// One process at a time, by a file that holds the number of the process whose turn it is. A process that is gone holds nothing.
// Synchronous, because what comes before everything else is. Knows not what the turn is for.

import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

const LOOK_AGAIN_MILLISECONDS = 200;
/** Who has made the file has written its number into it before this is over, or has died between the two. */
const UNWRITTEN_MILLISECONDS = 5000;

/**
 * Waits for the turn, then works.
 * @template T
 * @param {string} path
 * @param {(holder: number) => void} onWait called once, when it is the turn of another process
 * @param {() => T} work
 * @returns {T}
 */
export function locked(path, onWait, work) {
  mkdirSync(dirname(path), { recursive: true });
  take(path, onWait);
  try {
    return work();
  } finally {
    rmSync(path, { force: true });
  }
}

/**
 * @param {string} path
 * @param {(holder: number) => void} onWait
 */
function take(path, onWait) {
  let told = false;
  while (!isTaken(path)) {
    const holder = read(path);
    if (holder === undefined) continue;
    if (isGone(path, holder)) {
      clear(path, holder);
      continue;
    }
    if (!told && holder !== "") {
      told = true;
      onWait(Number(holder));
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_AGAIN_MILLISECONDS);
  }
}

/**
 * @param {string} path
 * @returns {boolean} whether it is ours now
 */
function isTaken(path) {
  try {
    writeFileSync(path, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
}

/**
 * @param {string} path
 * @returns {string | undefined} undefined when there is no such file
 */
function read(path) {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/**
 * @param {string} path
 * @param {string} holder
 */
function isGone(path, holder) {
  const pid = Number(holder);
  if (!Number.isSafeInteger(pid) || pid <= 0) return ageOf(path) > UNWRITTEN_MILLISECONDS;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    // Any other refusal is about somebody who is there.
    return codeOf(error) === "ESRCH";
  }
}

/** @param {string} path */
function ageOf(path) {
  return Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
}

/**
 * Takes the file of a process that is gone out of the way. Several may find it at once: one of them claims it, and only whoever has
 * the claim on a holder takes that holder's file away, so nobody takes the file of somebody who has come since.
 * @param {string} path
 * @param {string} holder
 */
function clear(path, holder) {
  const claim = `${path}.after-${Number(holder) || 0}`;
  try {
    writeFileSync(claim, "", { flag: "wx" });
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
    // Whoever claimed it may be gone, too.
    if (ageOf(claim) > UNWRITTEN_MILLISECONDS) rmSync(claim, { force: true });
    return;
  }
  if (read(path) === holder) rmSync(path, { force: true });
  rmSync(claim, { force: true });
}

/** @param {unknown} error */
function codeOf(error) {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
