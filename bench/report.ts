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
  /** Against the reference of the same work in the same run: larger is better, except where the unit says that it is a cost. */
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

/** The table for people: one line a figure, with its unit. */
export function printTable(rows: readonly Row[]): void {
  const head = ["work", "unit", "subject", "median", "least to most", "ratio"];
  const lines = rows.map(({ work, unit, subject, median, min, max, ratio }) => {
    const compared = Number.isFinite(ratio) ? ratio.toFixed(2) : "–";
    return [work, unit, subject, String(median), `${min} to ${max}`, compared];
  });
  const widths = head.map((_, column) => Math.max(...[head, ...lines].map((cells) => (cells[column] ?? "").length)));
  for (const cells of [head, ...lines]) {
    console.log(cells.map((cell, i) => (i < 3 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join("  "));
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

function commitOf(folder: string): string {
  try {
    return execFileSync("git", ["rev-parse", "HEAD"], { cwd: dirname(folder), encoding: "utf8" }).trim();
  } catch {
    return "unknown";
  }
}
