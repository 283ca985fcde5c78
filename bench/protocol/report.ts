// From rounds to results: medians, spread, ratios, in the form that every benchmark of the repository has.

import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { dirname } from "node:path";

export interface Row {
  readonly work: string;
  readonly subject: string;
  readonly median: number;
  readonly min: number;
  readonly max: number;
  readonly unit: string;
  /** Against the reference of the same work in the same run; larger is better. */
  readonly ratio: number;
}

export interface Measured {
  readonly work: string;
  readonly subject: string;
  /** Operations a second, when nothing is said. */
  readonly unit?: string;
  /** One figure a round. */
  readonly rounds: readonly number[];
}

const UNIT = "op/s";

export function toRows(measured: readonly Measured[], reference: string): readonly Row[] {
  const references = measured.filter(({ subject }) => subject === reference);
  const medians = new Map(references.map(({ work, unit = UNIT, rounds }) => [`${work} ${unit}`, median(rounds)]));
  return measured.map(({ work, subject, unit = UNIT, rounds }) => ({
    work,
    subject,
    median: figures(median(rounds)),
    min: figures(Math.min(...rounds)),
    max: figures(Math.max(...rounds)),
    unit,
    ratio: figures(median(rounds) / (medians.get(`${work} ${unit}`) ?? Number.NaN)),
  }));
}

export function writeResults(path: string, reference: string, rows: readonly Row[]): void {
  const meta = {
    node: process.version,
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    date: new Date().toISOString(),
    commit: commitOf(dirname(path)),
  };
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify({ meta, reference, rows }, undefined, 2)}\n`);
}

export function printTable(rows: readonly Row[]): void {
  const columns = [34, 24, 9, 19, 7] as const;
  const print = (cells: readonly string[]): void => {
    console.log(cells.map((cell, i) => (i < 2 ? cell.padEnd(columns[i] ?? 0) : cell.padStart(columns[i] ?? 0))).join(" "));
  };
  print(["work", "subject", UNIT, "slowest to fastest", "ratio"]);
  let last = "";
  for (const { work, subject, median, min, max, ratio } of rows) {
    print([work === last ? "" : work, subject, whole(median), `${whole(min)} to ${whole(max)}`, ratio.toFixed(2)]);
    last = work;
  }
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** Four significant figures: more would be noise. */
function figures(value: number): number {
  return Number(value.toPrecision(4));
}

function whole(value: number): string {
  return Math.round(value).toLocaleString("en");
}

function commitOf(folder: string): string {
  try {
    return execFileSync("git", ["rev-parse", "HEAD"], { cwd: dirname(folder), encoding: "utf8" }).trim();
  } catch {
    return "unknown";
  }
}
