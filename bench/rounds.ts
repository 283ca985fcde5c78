// What every subject has shown at every work, one figure a round. Knows no work.

import type { Measured } from "./report.ts";

export interface Figure {
  readonly work: string;
  /** With "(cost)" where less is better. */
  readonly unit: string;
  readonly value: number;
}

export class Rounds {
  readonly #measured = new Map<string, Measured & { readonly rounds: number[] }>();

  note(subject: string, figures: readonly Figure[]): void {
    for (const { work, unit, value } of figures) {
      const key = `${work} ${unit} ${subject}`;
      const known = this.#measured.get(key);
      if (known === undefined) this.#measured.set(key, { work, subject, unit, rounds: [value] });
      else known.rounds.push(value);
    }
  }

  /** Whoever did the same stands side by side. */
  get measured(): readonly Measured[] {
    const together = Map.groupBy(this.#measured.values(), ({ work, unit }) => `${work} ${unit}`);
    return [...together.values()].flat();
  }
}

export function percentiles(work: string, delays: readonly number[], percents: readonly number[]): readonly Figure[] {
  const sorted = delays.toSorted((a, b) => a - b);
  return percents.map((percent) => {
    const value = sorted[Math.ceil((percent / 100) * sorted.length) - 1] ?? Number.NaN;
    return { work, unit: `p${percent} ms (cost)`, value };
  });
}
