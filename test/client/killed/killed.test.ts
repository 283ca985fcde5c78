// A program with the SDK in it is killed again and again while it writes and reads. Real processes, a real server and the real
// store: whatever it was doing, its state has not gone back behind what it told anybody, and everything arrives once.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Mistake } from "./bundle.ts";
import { storm } from "./storm.ts";

/** Of each of two programs. */
const KILLS = 30;

const MISTAKES: readonly (readonly [name: string, Mistake])[] = [
  [
    "a store that commits a moment after it has said so",
    {
      file: "client/store/sqlite-connection.ts",
      changes: [
        { find: "    this.#begin[mode].run();\n", replace: "    if (!this.#database.isTransaction) this.#begin.write.run();\n" },
        {
          find: "      translated(() => this.#commit.run());\n",
          replace: "      this.late ??= setTimeout(() => {\n        this.late = undefined;\n        this.#commit.run();\n      }, 50);\n",
        },
      ],
    },
  ],
  [
    "a session that is kept when its message was sent",
    {
      file: "client/sending/sealing.ts",
      changes: [
        {
          find: "  { self, clock, random }: Sending,\n  records: Writer,\n",
          replace: "  { self, clock, random, vault }: Sending,\n  records: Writer,\n",
        },
        {
          find: "  records.put(SESSIONS, outcome.state, remote.userId, remote.deviceId);\n",
          replace:
            "  const keep = () => vault.write(async (later) => later.put(SESSIONS, outcome.state, remote.userId, remote.deviceId));\n" +
            "  records.afterwards(() => void clock.after(30, keep));\n",
        },
      ],
    },
  ],
];

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), "edgewise-killed-"));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

test(
  `over ${2 * KILLS} kills no state goes back, no message key is used twice, and each message arrives once`,
  { timeout: 300_000 },
  async () => {
    const report = await storm({ folder: folder(), kills: KILLS });
    expect(report.problems).toEqual([]);
    expect(report.kills).toBe(2 * KILLS);
    expect(report.texts).toBeGreaterThan(2 * KILLS);
    expect(report.sent).toBeGreaterThan(report.texts);
    // Some were killed between sending and hearing of it.
    expect(report.repeated).toBeGreaterThan(0);
  },
);

describe("is found out", () => {
  for (const [name, mistake] of MISTAKES) {
    test(`${name}`, { timeout: 300_000 }, async () => {
      const { problems } = await storm({ folder: folder(), kills: KILLS, mistake });
      expect(problems).not.toEqual([]);
    });
  }
});
