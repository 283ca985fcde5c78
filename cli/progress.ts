// How far a file is, as a line that replaces itself. Knows no file.

import type { Progress } from "#client";
import type { Output } from "./output.ts";

const CELLS = 24;
const UNITS = ["B", "kB", "MB"] as const;

/** For whoever watches; elsewhere nothing is shown. */
export function showProgress(output: Output, what: string): (progress: Progress) => void {
  return ({ done, total }) => {
    const share = total === 0 ? 1 : done / total;
    const full = Math.floor(share * CELLS);
    const percent = String(Math.floor(share * 100)).padStart(3);
    output.progress(`${what} [${"#".repeat(full)}${"-".repeat(CELLS - full)}] ${percent} %  ${sizeOf(done)} of ${sizeOf(total)}`);
  };
}

/** With the unit that leaves at most three digits before the point. */
export function sizeOf(bytes: number): string {
  const step = bytes < 1000 ? 0 : bytes < 1_000_000 ? 1 : 2;
  return `${(bytes / 1000 ** step).toFixed(step === 0 ? 0 : 1)} ${UNITS[step]}`;
}
