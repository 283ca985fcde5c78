// What takes thousands of agreements, with the platform's cryptography: ten thousand servers between two devices, and every byte of
// what a new device reveals.

import { generateKeyPair, type KeyPair, parsePublicKey, type PublicKey, useBackend } from "#crypto";
import { nodeBackend } from "#crypto/node";
import { beginLink, offerLink, openReveal } from "#protocol";
import { type Bytes, decodeLinkOffer, encodeLinkOffer } from "#wire";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Attempt } from "../../../protocol/attempt.ts";
import { linkSecrets, type Transcript } from "../../../protocol/link/transcript.ts";
import { found } from "../../support/accounts.ts";
import { codesOf, flips, Reader } from "./damage.ts";
import { Pair } from "./pairing.ts";

const before = useBackend(nodeBackend);
beforeAll(() => {
  useBackend(nodeBackend);
});
afterAll(() => {
  useBackend(before);
});

const SWAPS = 10_000;

function digits(own: KeyPair, their: PublicKey, transcript: Transcript): string {
  return String.fromCharCode(...linkSecrets(new Attempt(), own.privateKey, their, transcript).digits.expose());
}

/** What the new device shows and what the active one expects, when a server has put keys of its own between them. */
function swap(pair: Pair): readonly [shown: string, expected: string] {
  const { account, userId, first, now: nowSeconds } = pair.owner;
  const newcomer = beginLink({ kind: "request", userId }, nowSeconds, pair.random);
  const false_ = beginLink({ kind: "request", userId }, nowSeconds, pair.random);
  const own = generateKeyPair(pair.random);
  const input = { ticket: false_.ticket, commitment: false_.ticket.commitment, account, signer: first.deviceId, nowSeconds };
  const offered = offerLink(input, pair.random);
  if (offered.kind === "refused") throw new Error(offered.code);
  const offer: Bytes = offered.output;
  const swapped = encodeLinkOffer({ ...decodeLinkOffer(offer), ephemeralKey: own.publicKey.encode() });
  const shown = { ticket: newcomer.ticket, offer: swapped, ephemeralKey: newcomer.ephemeral.publicKey, nonce: newcomer.nonce };
  const expected = { ticket: false_.ticket, offer, ephemeralKey: false_.ephemeral.publicKey, nonce: false_.nonce };
  const theirs = parsePublicKey(decodeLinkOffer(offer).ephemeralKey);
  return [digits(newcomer.ephemeral, own.publicKey, shown), digits(false_.ephemeral, theirs, expected)];
}

describe(`${SWAPS} servers that swap both keys`, () => {
  const pair = new Pair(1, "request");
  const swaps = Array.from({ length: SWAPS }, () => swap(pair));

  test("match no more often than chance, in six digits or in fewer", () => {
    for (const length of [1, 2, 3, 6]) {
      const matches = swaps.filter(([shown, expected]) => shown.slice(-length) === expected.slice(-length)).length;
      const mean = SWAPS / 10 ** length;
      // Five standard deviations; seeds decide, so this is once and for all.
      expect([length, matches <= mean + 5 * Math.sqrt(mean)]).toEqual([length, true]);
      if (length < 3) expect([length, matches >= mean - 5 * Math.sqrt(mean)]).toEqual([length, true]);
    }
  });

  test("show digits of which each is as likely as any other, in each of the six places", () => {
    const all = swaps.flat();
    const mean = all.length / 10;
    for (let place = 0; place < 6; place++) {
      for (let digit = 0; digit < 10; digit++) {
        const count = all.filter((text) => text[place] === String(digit)).length;
        expect([place, digit, Math.abs(count - mean) < 5 * Math.sqrt(mean)]).toEqual([place, digit, true]);
      }
    }
    expect(new Set(all).size).toBeGreaterThan(0.98 * all.length);
  });
});

test.each(["code", "request"] as const)("a reveal by %s that is changed in any byte is refused", (kind) => {
  const pair = new Pair(2, kind);
  const reader = new Reader(pair, pair.offer(pair.ticketOf(pair.begin())).state.deviceId);
  const { state: approver, output: offer } = pair.offer(pair.ticketOf(reader.newcomer));
  const reveal = found(reader.reveal(offer));
  const codes = codesOf(flips(reveal).map((bytes) => openReveal(approver, bytes, pair.owner.now)));
  expect(codes.has("done")).toBe(false);
  expect(openReveal(approver, reveal, pair.owner.now).kind).toBe("done");
});
