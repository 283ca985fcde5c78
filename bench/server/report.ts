// The table for people: one line a figure, with its unit, because a server has more than one.

import type { Row } from "../protocol/report.ts";

const WIDTHS = [26, 34, 10, 10, 22, 7] as const;

export function printTable(rows: readonly Row[]): void {
  print(["work", "unit", "subject", "median", "least to most", "ratio"]);
  for (const { work, unit, subject, median, min, max, ratio } of rows)
    print([work, unit, subject, String(median), `${min} to ${max}`, ratio.toFixed(2)]);
}

function print(cells: readonly string[]): void {
  console.log(cells.map((cell, i) => (i < 3 ? cell.padEnd(WIDTHS[i] ?? 0) : cell.padStart(WIDTHS[i] ?? 0))).join(" "));
}
