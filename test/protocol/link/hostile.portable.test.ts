// Linking with somebody between the two devices: every byte of every blob changed, blobs of other links, both keys swapped, and a
// search for a reveal that matches.

import { type KeyPair, generateKeyPair, parsePublicKey, type Random, xchachaOpen, xchachaSeal } from "#crypto";
import {
  addLinkedDevice,
  type ApproverMet,
  linkCodeOf,
  type LinkTicket,
  type NewcomerMet,
  offerLink,
  openAnswer,
  openLinkCode,
  openReveal,
  revealDevice,
  typeDigits,
  welcomeDevice,
} from "#protocol";
import {
  type Bytes,
  decodeLinkOffer,
  decodeLinkReveal,
  EMPTY,
  encodeLinkDevice,
  encodeLinkOffer,
  encodeLinkReveal,
  type LinkDevice,
  parseDeviceId,
  sameBytes,
  toUtf8,
  UsageError,
} from "#wire";
import { describe, expect, test } from "vitest";
import { Attempt } from "../../../protocol/attempt.ts";
import { commitmentTo, linkSecrets } from "../../../protocol/link/transcript.ts";
import { codeOf, verdictOf } from "../../support/codes.ts";
import { codesOf, damaged, flips, Reader } from "./damage.ts";
import { done, type Met, NAME, Pair, WELCOME } from "./pairing.ts";

describe.each(["code", "request"] as const)("by %s", (kind) => {
  test("a first blob that is not the ticket's, in any byte, is answered by nobody", () => {
    const pair = new Pair(1, kind);
    const ticket = pair.ticketOf(pair.begin());
    const { account, first, now: nowSeconds } = pair.owner;
    const offers = flips(ticket.commitment).map((commitment) =>
      offerLink({ ticket, commitment, account, signer: first.deviceId, nowSeconds }, pair.random),
    );
    expect(codesOf(offers)).toEqual(new Set(["bad-key"]));
  });

  test("a commitment that is changed wherever it stands fits no reveal", () => {
    const pair = new Pair(2, kind);
    const { newcomer, reveal } = pair.upToDigits();
    const reveals = flips(newcomer.ticket.commitment).map((commitment) => {
      const { state } = pair.offer({ ...newcomer.ticket, commitment, secret: undefined });
      return openReveal(state, reveal, pair.owner.now);
    });
    expect(codesOf(reveals)).toEqual(new Set(["bad-key"]));
  });

  test("an offer that is changed in any byte on its way leads to no reveal that the active device opens", () => {
    const pair = new Pair(3, kind);
    const reader = new Reader(pair, pair.offer(pair.ticketOf(pair.begin())).state.deviceId);
    const { state: approver, output: offer } = pair.offer(pair.ticketOf(reader.newcomer));
    const changed = [...flips(offer), ...damaged(offer, 3)];
    const reveals = changed.flatMap((bytes) => reader.reveal(bytes) ?? []);
    expect(reveals.length).toBeGreaterThan(offer.length / 4);
    const opened = reveals.map((reveal) => openReveal(approver, reveal, pair.owner.now));
    expect(codesOf(opened)).toEqual(new Set(["bad-tag"]));
    const honest = reader.reveal(offer);
    expect(honest === undefined ? "refused" : openReveal(approver, honest, pair.owner.now).kind).toBe("done");
  });

  test("a reveal that is changed is refused, and the true one opens after all of them", () => {
    const pair = new Pair(4, kind);
    const reader = new Reader(pair, pair.offer(pair.ticketOf(pair.begin())).state.deviceId);
    const { state: approver, output: offer } = pair.offer(pair.ticketOf(reader.newcomer));
    const reveal = reader.reveal(offer);
    if (reveal === undefined) throw new Error("refused");
    // All of them in many.test.ts; here what is in clear, and some of what is sealed.
    const some = flips(reveal).filter((_, at) => at < 80 || at % 64 === 0);
    const codes = codesOf([...some, ...damaged(reveal, 4)].map((bytes) => openReveal(approver, bytes, pair.owner.now)));
    expect(codes.has("done")).toBe(false);
    expect(codes.has("bad-tag") && codes.has("bad-key")).toBe(true);
    expect(openReveal(approver, reveal, pair.owner.now).kind).toBe("done");
  });

  test("an answer that is changed in any byte is none, and the true one opens after all of them", () => {
    const pair = new Pair(5, kind);
    const { waiting, asking, digits } = pair.upToDigits();
    const { blob } = welcomeDevice(pair.sure(asking, digits), { ...WELCOME, head: pair.owner.account.head }, pair.random);
    const codes = codesOf([...flips(blob), ...damaged(blob, 5)].map((bytes) => openAnswer(waiting, bytes, pair.owner.now)));
    expect(codes).toEqual(new Set(["bad-tag"]));
    expect(openAnswer(waiting, blob, pair.owner.now).kind).toBe("done");
  });

  test("no blob of another link, of the same account too, serves in this one", () => {
    const pair = new Pair(6, kind);
    const welcome = { ...WELCOME, head: pair.owner.account.head };
    const links: readonly (Met & { readonly answer: Bytes })[] = Array.from({ length: 3 }, () => {
      const met = pair.upToDigits();
      return { ...met, answer: welcomeDevice(pair.sure(met.asking, met.digits), welcome, pair.random).blob };
    });
    for (const link of links) {
      for (const other of links.filter((one) => one !== link)) {
        const { owner } = pair;
        const fresh = pair.offer({ ...link.newcomer.ticket, secret: undefined });
        expect(codesOf([openReveal(fresh.state, other.reveal, owner.now)])).toEqual(new Set(["bad-key"]));
        // Its own reveal, to an offer that the new device has not seen.
        expect(codesOf([openReveal(fresh.state, link.reveal, owner.now)])).toEqual(new Set(["bad-tag"]));
        for (const blob of [other.answer, other.reveal, other.offer, link.reveal, link.offer]) {
          expect(codesOf([openAnswer(link.waiting, blob, owner.now)])).toEqual(new Set(["bad-tag"]));
        }
      }
    }
  });

  test("what was revealed once is not revealed again, to another offer", () => {
    const pair = new Pair(7, kind);
    const { newcomer } = pair.upToDigits();
    const { state } = pair.meet(newcomer, pair.offer({ ...newcomer.ticket, secret: undefined }).output);
    const device = pair.newDevice(state.offer.deviceId);
    const input = { device, name: NAME, preKeys: pair.preKeys(device, state.offer), nowSeconds: pair.owner.now };
    expect(() => revealDevice(state, input, pair.random)).toThrow(UsageError);
  });
});

test("a code that is changed in any byte leads nowhere", () => {
  const pair = new Pair(8);
  const { account, first, now: nowSeconds } = pair.owner;
  const reader = new Reader(pair, pair.offer(pair.ticketOf(pair.begin())).state.deviceId);
  const { commitment } = reader.newcomer.ticket;
  for (const code of flips(linkCodeOf(reader.newcomer))) {
    const ticket = verdictOf(() => openLinkCode(code));
    if (ticket.kind === "refused") continue;
    const offered = offerLink({ ticket: ticket.value, commitment, account, signer: first.deviceId, nowSeconds }, pair.random);
    if (offered.kind === "refused") continue;
    const reveal = reader.reveal(offered.output);
    expect(reveal === undefined ? "refused" : codesOf([openReveal(offered.state, reveal, nowSeconds)])).toEqual(new Set(["bad-tag"]));
  }
});

/** The true offer with another key in it: what a server hands on that has a key of its own for each side. */
function swapped(offer: Bytes, own: KeyPair): Bytes {
  return encodeLinkOffer({ ...decodeLinkOffer(offer), ephemeralKey: own.publicKey.encode() });
}

test("a server that swaps both keys of a request is met with digits that do not match, and gets a refusal instead of an account", () => {
  const pair = new Pair(20, "request");
  const newcomer = pair.begin();
  // Its own device, in the place of the true one.
  const false_ = pair.begin();
  const { state: approver, output: offer } = pair.offer(false_.ticket);
  const { digits } = pair.reveal(pair.meet(newcomer, swapped(offer, generateKeyPair(pair.random))).state);
  const revealed = pair.reveal(pair.meet(false_, offer).state);
  const { state: asking } = pair.asked(approver, revealed.blob);
  let state: ApproverMet = asking;
  for (let i = 1; i < 3; i++) {
    const typed = typeDigits(state, digits, pair.random);
    if (typed.kind !== "wrong") throw new Error(typed.kind);
    ({ state } = typed);
  }
  const typed = typeDigits(state, digits, pair.random);
  if (typed.kind !== "ended") throw new Error(typed.kind);
  expect(done(openAnswer(revealed.state, typed.blob, pair.owner.now)).output).toEqual({ kind: "refused" });
});

test("a server that swaps both keys of a code gets nowhere: it knows no secret, and cannot commit to another key", () => {
  const pair = new Pair(21);
  const newcomer = pair.begin();
  const ticket = pair.ticketOf(newcomer);
  const { state: approver, output: offer } = pair.offer(ticket);
  const own = generateKeyPair(pair.random);
  const theirs = swapped(offer, own);
  const revealed = pair.reveal(pair.meet(newcomer, theirs).state);
  const { ephemeralKey, nonce, sealed } = decodeLinkReveal(revealed.blob);
  // What it can compute of the new device's key, without the secret.
  const transcript = { ticket: { ...ticket, secret: undefined }, offer: theirs, ephemeralKey: parsePublicKey(ephemeralKey), nonce };
  const guess = linkSecrets(new Attempt(), own.privateKey, parsePublicKey(ephemeralKey), transcript);
  expect(sameBytes(guess.digits.expose(), toUtf8(revealed.digits))).toBe(false);
  expect(codeOf(() => xchachaOpen(guess.deviceKey.expose(), sealed, EMPTY))).toBe("bad-tag");
  // And towards the active device: its own key, the true nonce, or the true reveal for its own offer.
  for (const reveal of [encodeLinkReveal({ ephemeralKey: own.publicKey.encode(), nonce, sealed }), revealed.blob]) {
    const opened = openReveal(approver, reveal, pair.owner.now);
    expect(opened.kind).toBe("refused");
  }
});

/** A reveal that keeps to the commitment, of a device that says of itself what it likes. */
function revealing(met: NewcomerMet, said: LinkDevice, random: Random): Bytes {
  const { before, received, theirKey } = met;
  const { ticket, ephemeral, nonce } = before;
  const transcript = { ticket, offer: received, ephemeralKey: ephemeral.publicKey, nonce };
  const { deviceKey } = linkSecrets(new Attempt(), ephemeral.privateKey, theirKey, transcript);
  const sealed = xchachaSeal(deviceKey.expose(), encodeLinkDevice(said), EMPTY, random);
  return encodeLinkReveal({ ephemeralKey: ephemeral.publicKey.encode(), nonce, sealed });
}

test("a new device cannot have another id than was offered, and is not added with a signature that is none", () => {
  const pair = new Pair(22);
  const newcomer = pair.begin();
  const { state: approver, output: offer } = pair.offer(pair.ticketOf(newcomer));
  const { state: met } = pair.meet(newcomer, offer);
  const { identity, registrationId, capabilities } = pair.newDevice(met.offer.deviceId);
  const device = { deviceId: met.offer.deviceId, identityKey: identity.publicKey.encode(), registrationId, capabilities };
  const preKeys = { set: undefined, oneTimePreKeys: [] };
  const said = { name: NAME, device, countersignature: pair.random(64), preKeys };
  const other = revealing(met, { ...said, device: { ...device, deviceId: parseDeviceId(99) } }, pair.random);
  expect(openReveal(approver, other, pair.owner.now)).toEqual({ kind: "refused", code: "bad-address" });
  const opened = done(openReveal(approver, revealing(met, said, pair.random), pair.owner.now));
  const sure = pair.sure(opened.state, String.fromCharCode(...opened.state.digits.expose()));
  const added = addLinkedDevice(sure, { signer: pair.owner.first, nowSeconds: pair.owner.now }, pair.random);
  expect(added).toEqual({ kind: "refused", code: "bad-signature" });
});

describe("a server that searches for a match", () => {
  /** Up to where it knows which digits the new device shows, and must reveal something to the active one. */
  function cornered(seed: number) {
    const pair = new Pair(seed, "request");
    const newcomer = pair.begin();
    const own = pair.begin();
    const { state: approver, output: offer } = pair.offer(own.ticket);
    const theirs = swapped(offer, generateKeyPair(pair.random));
    const { digits: shown } = pair.reveal(pair.meet(newcomer, theirs).state);
    const { state: met } = pair.meet(own, offer);
    return { pair, own, approver, offer, shown, met };
  }

  /** The digits that the active device would have, were this revealed. */
  function digitsWith(ticket: LinkTicket, offer: Bytes, ephemeral: KeyPair, nonce: Bytes): string {
    const their = parsePublicKey(decodeLinkOffer(offer).ephemeralKey);
    const transcript = { ticket, offer, ephemeralKey: ephemeral.publicKey, nonce };
    return String.fromCharCode(...linkSecrets(new Attempt(), ephemeral.privateKey, their, transcript).digits.expose());
  }

  test("finds nonces that would match, and has committed to another", () => {
    const { pair, own, approver, offer, shown, met } = cornered(30);
    const device = pair.newDevice(met.offer.deviceId);
    const revealed = revealDevice(
      met,
      { device, name: NAME, preKeys: pair.preKeys(device, met.offer), nowSeconds: pair.owner.now },
      pair.random,
    );
    if (revealed.kind === "refused") throw new Error(revealed.code);
    const { sealed } = decodeLinkReveal(revealed.output.blob);
    let near = 0;
    for (let i = 0; i < 300; i++) {
      const nonce = pair.random(32);
      // All six take a million tries, which is minutes of work: two of them show the same.
      if (digitsWith(own.ticket, offer, own.ephemeral, nonce).slice(0, 2) !== shown.slice(0, 2)) continue;
      near++;
      expect(sameBytes(commitmentTo(own.ephemeral.publicKey, nonce), own.ticket.commitment)).toBe(false);
      const reveal = encodeLinkReveal({ ephemeralKey: own.ephemeral.publicKey.encode(), nonce, sealed });
      expect(openReveal(approver, reveal, pair.owner.now)).toEqual({ kind: "refused", code: "bad-key" });
    }
    expect(near).toBeGreaterThan(0);
  });

  test("may reveal what it likes under the commitment: the digits stay the same", () => {
    const { pair, approver, met } = cornered(31);
    const device = pair.newDevice(met.offer.deviceId);
    const preKeys = pair.preKeys(device, met.offer);
    const reached = new Set<string>();
    for (let i = 0; i < 60; i++) {
      const revealed = revealDevice(met, { device, name: `${NAME} ${i}`, preKeys, nowSeconds: pair.owner.now }, pair.random);
      if (revealed.kind === "refused") throw new Error(revealed.code);
      const opened = openReveal(approver, revealed.output.blob, pair.owner.now);
      if (opened.kind === "refused") throw new Error(opened.code);
      expect(opened.output.name).toBe(`${NAME} ${i}`);
      reached.add(String.fromCharCode(...opened.state.digits.expose()));
    }
    expect(reached.size).toBe(1);
  });

  test("begins again only with an active device that has another key", () => {
    const { pair, own } = cornered(32);
    const keys = Array.from({ length: 20 }, () => decodeLinkOffer(pair.offer(own.ticket).output).ephemeralKey.toString());
    expect(new Set(keys).size).toBe(20);
  });
});
