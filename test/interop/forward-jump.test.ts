import { expect, test } from "vitest";
import type { SessionMessage } from "../../protocol/index.ts";
import { ascii, type Bytes, MAX_FORWARD_JUMP } from "../../wire/index.ts";
import { libsignal0103 } from "./library.ts";
import { isRefused, type Party } from "./party.ts";
import { ALICE, BOB, SealedWorld } from "./sealed-world.ts";

const hello: Bytes = ascii("hello");
/** How many messages around the limit are kept. */
const MARGIN = 4;

/** The highest number of a message that opens when everything before it in its chain is lost. */
async function longestJump(writer: Party, reader: Party): Promise<number> {
  await writer.start(await reader.bundle("with one-time prekeys"));
  await reader.open(await writer.seal(hello));
  await writer.open(await reader.seal(hello));
  const kept: { readonly number: number; readonly message: SessionMessage }[] = [];
  for (let number = 0; number <= MAX_FORWARD_JUMP + MARGIN; number++) {
    const message = await writer.seal(hello);
    if (number >= MAX_FORWARD_JUMP - MARGIN) kept.unshift({ number, message });
  }
  for (const { number, message } of kept) if (!(await isRefused(() => reader.open(message)))) return number;
  throw new RangeError("the limit is below what was tried");
}

test("the longest jump is the same for ours and theirs", { timeout: 180_000 }, async () => {
  const { ours, theirs } = new SealedWorld(libsignal0103, 2);
  const readByTheirs = await longestJump(ours.with(BOB), theirs.with(ALICE));
  expect(await longestJump(theirs.with(ALICE), ours.with(BOB))).toBe(readByTheirs);
  expect(readByTheirs).toBeLessThan(MAX_FORWARD_JUMP + MARGIN);
});
