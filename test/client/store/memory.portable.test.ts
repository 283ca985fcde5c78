// The store in memory, wherever the client runs.

import { toHex } from "#wire";
import { memory, SharedMemory } from "edgewise/store/memory";
import { describe, expect, test } from "vitest";
import { storeConformance } from "../../conformance/store.ts";
import { seededRandom } from "../../support/random.ts";

describe("memory", () => {
  storeConformance(() => {
    const shared = new SharedMemory();
    return { open: () => memory({ shared }) };
  });

  test("two stores that were not told to share anything share nothing", async () => {
    const [one, other] = [memory(), memory()];
    await one.write(async (transaction) => transaction.put("key", new Uint8Array(1)));
    expect(await other.read((transaction) => transaction.get("key"))).toBeUndefined();
    expect(toHex((await one.unlock()).expose())).not.toBe(toHex((await other.unlock()).expose()));
  });

  test("the key comes from the random source that was given", async () => {
    const store = memory({ random: seededRandom(7) });
    expect(toHex((await store.unlock()).expose())).toBe(toHex(seededRandom(7)(32)));
  });
});
