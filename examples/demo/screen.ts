// How the demo looks in a terminal of eighty columns. Colours only where they are seen and wanted (a terminal, no NO_COLOR):
// styleText looks.

import { styleText } from "node:util";
import type { Verdict } from "./promises.ts";

const MARGIN = "  ";

export type Tick = "waiting" | "sent" | "delivered" | "read";

const TICKS: Readonly<Record<Tick, string>> = {
  waiting: styleText("yellow", "·  waiting"),
  sent: styleText("dim", "✓  sent"),
  delivered: styleText("dim", "✓✓ delivered"),
  read: styleText("cyan", "✓✓ read"),
};

const COLOURS: ReadonlyMap<string, "magenta" | "blue" | "green"> = new Map([
  ["alice", "magenta"],
  ["bob", "blue"],
  ["carol", "green"],
]);

export interface Line {
  readonly at: Date;
  readonly name: string;
  readonly text: string;
  readonly tick: Tick;
}

export function heading(text: string): string {
  return `\n${MARGIN}${styleText("bold", text)}`;
}

/** Something happens to the world. */
export function scene(text: string): string {
  return `\n${MARGIN}${styleText("yellow", "▸")} ${styleText("bold", text)}`;
}

export function line({ at, name, text, tick }: Line): string {
  const time = styleText("dim", at.toTimeString().slice(0, 8));
  const who = styleText(COLOURS.get(name) ?? "white", name.padEnd(5));
  return `${MARGIN}${MARGIN}${time}  ${who}  ${text.padEnd(44)} ${TICKS[tick]}`;
}

export function tableOf(verdicts: readonly Verdict[]): string {
  const width = Math.max(...verdicts.map(({ promise }) => promise.length));
  return verdicts
    .map(({ promise, kept, detail }) => {
      const mark = kept ? styleText("green", "✓") : styleText("red", "✗");
      return `${MARGIN}${mark} ${promise.padEnd(width)}  ${styleText(kept ? "dim" : "red", detail)}`;
    })
    .join("\n");
}

export function end(text: string): string {
  return `${MARGIN}${text}\n`;
}
