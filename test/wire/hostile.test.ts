import fc from "fast-check";
import { expect, test } from "vitest";
import { bytesOf, mutated, outcome, OWN_FORMATS, SIGNAL_FORMATS } from "../support/wire.ts";

const FORMATS = [...SIGNAL_FORMATS, ...OWN_FORMATS];

test.each(FORMATS)("$name: random bytes are decoded or refused with a WireError, and nothing else", ({ decode }) => {
  fc.assert(
    fc.property(bytesOf(0, 120), (bytes) => {
      outcome(() => decode(bytes));
    }),
    { seed: 11, numRuns: 1500 },
  );
});

test.each(FORMATS)("$name: random bytes behind a right first byte are decoded or refused with a WireError", ({ valid, decode }) => {
  fc.assert(
    fc.property(fc.tuple(valid, bytesOf(0, 120)), ([model, bytes]) => {
      const changed = bytes.slice();
      changed.set(model.subarray(0, Math.min(1, bytes.length)));
      outcome(() => decode(changed));
    }),
    { seed: 12, numRuns: 800 },
  );
});

test.each(FORMATS)("$name: a damaged message is decoded or refused with a WireError, and nothing else", ({ valid, decode }) => {
  const seen = { accepted: 0, refused: 0 };
  fc.assert(
    fc.property(mutated(valid), (bytes) => {
      seen[outcome(() => decode(bytes)) === "accepted" ? "accepted" : "refused"]++;
    }),
    { seed: 13, numRuns: 2500 },
  );
  // A run in which everything was refused, or nothing, would have tested nothing.
  expect(Math.min(seen.accepted, seen.refused)).toBeGreaterThan(20);
});

test.each(FORMATS)("$name: a message cut off anywhere is decoded or refused with a WireError", ({ valid, decode }) => {
  fc.assert(
    fc.property(valid, (bytes) => {
      for (let length = 0; length < Math.min(bytes.length, 200); length++) outcome(() => decode(bytes.slice(0, length)));
    }),
    { seed: 14, numRuns: 20 },
  );
});

test.each(FORMATS)("$name: a length prefix that claims 2^53 bytes costs nothing", ({ valid, decode }) => {
  const [first = new Uint8Array(1)] = fc.sample(valid, { seed: 15, numRuns: 1 });
  const bytes = new Uint8Array([first[0] ?? 0, 0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f, ...new Uint8Array(80)]);
  expect(outcome(() => decode(bytes))).not.toBe("accepted");
});

test.each(FORMATS)("$name: a megabyte is refused before it is parsed", ({ decode }) => {
  expect(outcome(() => decode(new Uint8Array(1 << 20)))).toBe("too-long");
});
