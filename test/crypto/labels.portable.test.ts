// Domain separation: no label serves two purposes, and nothing we sign can be read as something else.

import { LABELS, labelled } from "#crypto";
import { type Bytes, concat, EMPTY, sameBytes, toHex } from "#wire";
import fc from "fast-check";
import { expect, test } from "vitest";

const all: readonly (readonly [string, Bytes])[] = Object.entries(LABELS);
/** Fixed by the wire of the Signal Protocol; whatever has another name is our own. */
const SIGNALS = /^(PQXDH|RATCHET|MESSAGE_KEYS|SENDER_MESSAGE_KEYS|SEALED_V[12]|BRAID|PQ_CHAIN)_/;
const ours = all.filter(([name]) => !SIGNALS.test(name));

function text(label: Bytes): string {
  return String.fromCharCode(...label);
}

test("every label is different from every other", () => {
  expect(new Set(all.map(([, label]) => toHex(label))).size).toBe(all.length);
  expect(all.length).toBeGreaterThan(15);
});

test("every label is printable ASCII, so the zero byte behind it ends it", () => {
  for (const [, label] of all) expect(text(label)).toMatch(/^[ -~]+$/);
});

test("every label of ours is Edgewise, a purpose and a version, and none of Signal's is", () => {
  for (const [, label] of ours) expect(text(label)).toMatch(/^Edgewise(\/[a-z]+(-[a-z]+)*)+\/v[1-9][0-9]*$/);
  expect(ours.map(([name]) => name)).toEqual(expect.arrayContaining(["SIGN_AUTH_CHALLENGE", "SIGN_LOG_ENTRY", "SIGN_PREKEY_RECORD"]));
  expect(all.filter(([, label]) => text(label).startsWith("Edgewise/"))).toEqual(ours);
});

test("what we sign never begins as a key, a type byte or the other formats of the identity key do", () => {
  for (const [, label] of ours) expect([0x05, 0x07, 0x08, 0x0a, 0xff]).not.toContain(labelled(label)[0]);
});

test("no label of ours is the beginning of another", () => {
  for (const [, one] of ours) {
    for (const [, other] of ours.filter(([, label]) => label !== one)) expect(text(other).startsWith(text(one))).toBe(false);
  }
});

interface Claim {
  readonly label: Bytes;
  readonly fields: readonly Bytes[];
}

const field: fc.Arbitrary<Bytes> = fc.uint8Array({ maxLength: 6 }).map((bytes) => Uint8Array.from(bytes));
const claim: fc.Arbitrary<Claim> = fc.record({
  label: fc.constantFrom(...ours.map(([, label]) => label)),
  fields: fc.array(field, { maxLength: 4 }),
});

function sameClaim(a: Claim, b: Claim): boolean {
  return a.label === b.label && a.fields.length === b.fields.length && a.fields.every((bytes, i) => sameBytes(bytes, b.fields[i] ?? EMPTY));
}

test("two claims give the same bytes exactly when they are the same claim", () => {
  fc.assert(
    fc.property(claim, claim, (a, b) => {
      expect(sameBytes(labelled(a.label, ...a.fields), labelled(b.label, ...b.fields))).toBe(sameClaim(a, b));
    }),
    { seed: 1, numRuns: 500 },
  );
});

test("moving the border between two fields, joining, adding or dropping one changes the bytes", () => {
  fc.assert(
    fc.property(claim, field, field, ({ label, fields }, one, two) => {
      const before = labelled(label, ...fields, one, two);
      const others = [
        [...fields, concat(one, two)],
        [...fields, concat(one, two), EMPTY],
        [...fields, EMPTY, concat(one, two)],
        [...fields, one],
        [...fields, one, two, EMPTY],
      ];
      for (const other of others) {
        expect(sameBytes(labelled(label, ...other), before)).toBe(
          sameClaim({ label, fields: other }, { label, fields: [...fields, one, two] }),
        );
      }
    }),
    { seed: 2, numRuns: 200 },
  );
});

test("a claim reads back: the label, a zero, then every field behind its length", () => {
  fc.assert(
    fc.property(claim, ({ label, fields }) => {
      const bytes = labelled(label, ...fields);
      const end = bytes.indexOf(0);
      expect(toHex(bytes.slice(0, end))).toBe(toHex(label));
      const view = new DataView(bytes.buffer);
      const read: string[] = [];
      for (let at = end + 1; at < bytes.length;) {
        const length = view.getUint32(at);
        read.push(toHex(bytes.slice(at + 4, at + 4 + length)));
        at += 4 + length;
      }
      expect(read).toEqual(fields.map(toHex));
    }),
    { seed: 3, numRuns: 200 },
  );
});
