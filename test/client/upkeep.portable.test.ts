// What goes when it is too old, and what stays because somebody may still need it.

import { expect, test } from "vitest";
import { systemRandom } from "#crypto";
import { parseMessageId, parseUserId } from "#wire";
import { memory } from "../../client/store/memory.ts";
import type { Core } from "../../client/core.ts";
import { keepEarly } from "../../client/receiving/early.ts";
import { markPeriod } from "../../client/receiving/marks.ts";
import { CONVERSATIONS, COUNTERS, CURSOR, EARLY, EVENTS, MARKS, NO_COUNTERS, SENT } from "../../client/records/tables.ts";
import { Vault, type Writer } from "../../client/records/vault.ts";
import type { ServerApi } from "../../client/server-api.ts";
import { KEPT_EVENTS, sweep } from "../../client/upkeep.ts";

const DAY = 24 * 3600_000;
const NOW = 1_800_000_000_000;
const BOB = parseUserId("11111111-1111-8111-8111-111111111100");

interface Kept extends Core {
  now: number;
}

async function client(): Promise<Kept> {
  const core: Kept = {
    vault: await Vault.open(memory(), systemRandom),
    server: {} as ServerApi, // nothing is asked of it
    random: systemRandom,
    now: NOW,
    clock: { nowMilliseconds: () => core.now, after: () => () => undefined },
  };
  return core;
}

async function write(core: Core, work: (records: Writer) => void): Promise<void> {
  await core.vault.write((records) => Promise.resolve(work(records)));
}

test("a mark is looked for in two periods and goes after them", async () => {
  const core = await client();
  const period = markPeriod(core.clock);
  await write(core, (records) => {
    for (let back = 0; back < 8; back++) records.put(MARKS, 1, period - back, `mark ${back}`);
  });
  await sweep(core);
  const left = await core.vault.read(async (records) => {
    const found: number[] = [];
    for (let back = 0; back < 8; back++) if ((await records.get(MARKS, period - back, `mark ${back}`)) !== undefined) found.push(back);
    return found;
  });
  expect(left).toEqual([0, 1]);
});

test("what was sent stays for as long as it may be asked for again", async () => {
  const core = await client();
  await write(core, (records) => {
    records.put(CONVERSATIONS, { id: BOB, lastOrdinal: 0, unread: 0, draft: "", position: undefined }, BOB);
    for (let day = 0; day < 300; day++) {
      const ordinal = 300 - day;
      records.put(SENT, { ordinal, content: new Uint8Array(1), sentMilliseconds: NOW - day * DAY - 1, resends: 0 }, BOB, ordinal);
    }
  });
  await sweep(core);
  expect(await core.vault.read((records) => records.all(SENT, BOB))).toHaveLength(7);
});

test("what came about a message that never comes waits for a month", async () => {
  const core = await client();
  const id = parseMessageId("00000000-0000-4000-8000-000000000000");
  const early = { by: BOB, conversation: BOB, sentAt: NOW, body: { kind: "receipt", receipt: "read" } } as const;
  await core.vault.write((records) => keepEarly(records, { id, author: BOB }, early, NOW));
  core.now += 30 * DAY;
  await sweep(core);
  expect(await core.vault.read((records) => records.all(EARLY))).toHaveLength(1);
  core.now += DAY;
  await sweep(core);
  expect(await core.vault.read((records) => records.all(EARLY))).toEqual([]);
});

test("events go when they were read and many newer ones are there", async () => {
  const core = await client();
  const id = parseMessageId("00000000-0000-4000-8000-000000000000");
  const newest = KEPT_EVENTS + 100;
  await write(core, (records) => {
    for (const ordinal of [1, 50, 99, 100, newest])
      records.put(EVENTS, { type: "receipt", kind: "read", by: BOB, messageIds: [id] }, ordinal);
    records.put(COUNTERS, { ...NO_COUNTERS, event: newest });
    records.put(CURSOR, { consumed: 60 });
  });
  const ordinals = (): Promise<readonly number[]> =>
    core.vault.read(async (records) => (await records.page(EVENTS, [])).map(({ ordinal }) => ordinal));
  await sweep(core);
  expect(await ordinals()).toEqual([99, 100, newest]);
  // Once a day is enough.
  await write(core, (records) => records.put(CURSOR, { consumed: newest }));
  await sweep(core);
  expect(await ordinals()).toEqual([99, 100, newest]);
  core.now += DAY;
  await sweep(core);
  expect(await ordinals()).toEqual([100, newest]);
});
