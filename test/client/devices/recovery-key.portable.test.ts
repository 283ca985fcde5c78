// A recovery key as text: what is typed from paper is the key, however it is spaced, and a slip of the pen is no key.

import fc from "fast-check";
import { expect, test } from "vitest";
import { equal } from "#crypto";
import { parseUserId } from "#wire";
import { drawRecoveryKey, parseRecoveryKey } from "../../../client/devices/recovery-key.ts";
import { Owner } from "../../support/accounts.ts";
import { seededRandom } from "../../support/random.ts";

const USER = new Owner(1).userId;
const LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const { text, keys } = drawRecoveryKey(USER, seededRandom(2));

function isKey(typed: string): boolean {
  try {
    const parsed = parseRecoveryKey(typed);
    return parsed.userId === USER && parsed.keys.publicKey.equals(keys.publicKey);
  } catch {
    return false;
  }
}

test("it says whose account it is and which key, also with spaces, in small letters, and with letters that look like digits", () => {
  const forms = [text, text.toLowerCase(), text.replaceAll("-", ""), text.replaceAll("-", " "), `\n ${text}\n`];
  for (const form of forms) expect(isKey(form)).toBe(true);
  expect(isKey(text.replaceAll("0", "O").replaceAll("1", "l"))).toBe(true);
});

test("no letter of it can be another, and none is missing or too many", () => {
  for (let at = 0; at < text.length; at++) {
    if (text[at] === "-") continue;
    for (const letter of LETTERS) if (letter !== text[at]) expect(isKey(text.slice(0, at) + letter + text.slice(at + 1))).toBe(false);
    expect(isKey(text.slice(0, at) + text.slice(at + 1))).toBe(false);
    expect(isKey(`${text.slice(0, at)}7${text.slice(at)}`)).toBe(false);
  }
});

test("two groups that have changed places are no key", () => {
  const groups = text.split("-");
  for (let at = 1; at < groups.length; at++) {
    const swapped = [...groups.slice(0, at - 1), groups[at], groups[at - 1], ...groups.slice(at + 1)].join("-");
    if (swapped !== text) expect(isKey(swapped)).toBe(false);
  }
});

test("whatever was drawn reads back, for any account, and what is typed at random is refused with a code", () => {
  const hex = fc.stringMatching(/^[0-9a-f]{30}$/);
  fc.assert(
    fc.property(fc.nat(), hex, (seed, digits) => {
      const id = `${digits.slice(0, 8)}-${digits.slice(8, 12)}-8${digits.slice(13, 16)}-a${digits.slice(17, 20)}-${digits.slice(20, 30)}00`;
      const userId = parseUserId(id);
      const drawn = drawRecoveryKey(userId, seededRandom(seed));
      const read = parseRecoveryKey(drawn.text);
      expect(read.userId).toBe(userId);
      expect(equal(read.keys.privateKey.expose(), drawn.keys.privateKey.expose())).toBe(true);
    }),
    { seed: 3, numRuns: 50 },
  );
  fc.assert(
    fc.property(fc.string({ maxLength: 80 }), (typed) => {
      expect(() => parseRecoveryKey(typed)).toThrow(expect.objectContaining({ code: "bad-argument" }));
    }),
    { seed: 4, numRuns: 100 },
  );
});
