// A recovery key as text: what is typed from paper is the key, however it is spaced, and a slip of the pen is no key.

import fc from "fast-check";
import { expect, test } from "vitest";
import { ClientError } from "#client";
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
  const swapped = groups.slice(1).map((group, at) => [...groups.slice(0, at), group, groups[at], ...groups.slice(at + 2)].join("-"));
  expect(swapped.filter((other) => other !== text).map(isKey)).toEqual(groups.slice(1).map(() => false));
});

test("whatever was drawn reads back, for any account, and what is typed at random is refused with a code", () => {
  const hex = fc.stringMatching(/^[0-9a-f]{30}$/);
  const readsBack = fc.property(fc.nat(), hex, (seed, digits) => {
    const id = `${digits.slice(0, 8)}-${digits.slice(8, 12)}-8${digits.slice(13, 16)}-a${digits.slice(17, 20)}-${digits.slice(20, 30)}00`;
    const drawn = drawRecoveryKey(parseUserId(id), seededRandom(seed));
    const read = parseRecoveryKey(drawn.text);
    return read.userId === id && equal(read.keys.privateKey.expose(), drawn.keys.privateKey.expose());
  });
  const isRefused = fc.property(fc.string({ maxLength: 80 }), (typed) => codeOf(typed) === "bad-argument");
  expect(fc.check(readsBack, { seed: 3, numRuns: 50 }).failed).toBe(false);
  expect(fc.check(isRefused, { seed: 4, numRuns: 100 }).failed).toBe(false);
});

function codeOf(typed: string): unknown {
  try {
    return parseRecoveryKey(typed);
  } catch (error) {
    return error instanceof ClientError ? error.code : error;
  }
}
