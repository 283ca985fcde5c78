// Every bit of a log, one after the other. On the Node backend, because that is some ten thousand signatures.

import { useBackend } from "#crypto";
import { nodeBackend } from "#crypto/node";
import { extendAccount, readAccountLog, userIdOfGenesis } from "#identity";
import type { Bytes } from "#wire";
import { afterAll, beforeAll, expect, test } from "vitest";
import { found, variedAccount } from "../support/accounts.ts";
import { codeOf } from "../support/codes.ts";

const before = { backend: useBackend(nodeBackend) };
beforeAll(() => {
  useBackend(nodeBackend);
});
afterAll(() => {
  useBackend(before.backend);
});

function* flips(bytes: Bytes): Generator<Bytes> {
  for (let bit = 0; bit < 8 * bytes.length; bit++) {
    const flipped = bytes.slice();
    flipped[bit >> 3] = found(flipped[bit >> 3]) ^ (1 << (bit & 7));
    yield flipped;
  }
}

test("no bit of any entry can be another", () => {
  const owner = variedAccount(1);
  owner.append(owner.writeEnd());
  for (const [at, entry] of owner.entries.entries()) {
    const codes = new Set<string>();
    for (const flipped of flips(entry)) {
      const read =
        at === 0
          ? () => readAccountLog([flipped], { userId: userIdOfGenesis(flipped), nowSeconds: owner.now })
          : () => extendAccount(found(owner.states[at - 1]), flipped, owner.now);
      codes.add(codeOf(read));
    }
    expect(codes).toContain("bad-signature");
  }
  expect(owner.entries).toHaveLength(9);
});
