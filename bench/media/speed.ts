// How fast a file is encrypted and decrypted, in millions of bytes a second.

import { randomFillSync } from "node:crypto";
import type { Rounds } from "../rounds.ts";
import { type Ciphers, SUBJECTS } from "./subjects.ts";

const MIB = 1024 * 1024;

export interface SpeedPlan {
  readonly rounds: number;
  readonly milliseconds: number;
  readonly mebibytes: readonly number[];
}

/** Every round runs all subjects once, one after the other, so that a slow minute of the machine is slow for all of them. */
export async function measureSpeed(rounds: Rounds, plan: SpeedPlan): Promise<void> {
  for (const mebibytes of plan.mebibytes) {
    const plaintext = randomFillSync(new Uint8Array(mebibytes * MIB));
    const subjects: (readonly [string, Ciphers])[] = [];
    for (const [name, prepare] of Object.entries(SUBJECTS)) {
      const ciphers = await prepare(plaintext);
      await warmUp(name, ciphers, plaintext.length);
      subjects.push([name, ciphers]);
    }
    for (let round = 0; round < plan.rounds; round++) {
      for (const [name, ciphers] of subjects) {
        for (const work of ["encrypt", "decrypt"] as const) {
          const perSecond = await operations(ciphers[work], plan.milliseconds);
          rounds.note(name, [{ work: `${work} ${mebibytes} MiB`, unit: "MB/s", value: (perSecond * plaintext.length) / 1e6 }]);
        }
      }
    }
  }
}

async function warmUp(name: string, ciphers: Ciphers, length: number): Promise<void> {
  for (let i = 0; i < 3; i++) {
    await ciphers.encrypt();
    if ((await ciphers.decrypt()) !== length) throw new Error(`${name} lost bytes`);
  }
}

/** A second. */
async function operations(operation: () => Promise<unknown>, milliseconds: number): Promise<number> {
  const start = performance.now();
  let count = 0;
  let passed = 0;
  while (passed < milliseconds) {
    await operation();
    count++;
    passed = performance.now() - start;
  }
  return (1000 * count) / passed;
}
