// Linking between two honest devices, by code and by request, and everything that ends it.

import { agree, hkdf, parsePublicKey, sha256 } from "#crypto";
import { activeDevice, checkPreKeyUpload, extendAccount, readAccountLog } from "#identity";
import {
  addLinkedDevice,
  linkCodeOf,
  offerLink,
  openAnswer,
  openLinkCode,
  openOffer,
  openReveal,
  refuseLink,
  revealDevice,
  typeDigits,
  welcomeDevice,
} from "#protocol";
import {
  ascii,
  be32,
  type Bytes,
  concat,
  decodeLinkReveal,
  EMPTY,
  fromHex,
  LINK_TICKET_LIFETIME_SECONDS,
  MAX_DEVICES_PER_ACCOUNT,
  MAX_LINK_BLOB_BYTES,
  parseDeviceId,
  toHex,
  UsageError,
} from "#wire";
import { describe, expect, test } from "vitest";
import { Owner } from "../../support/accounts.ts";
import { codeOf } from "../../support/codes.ts";
import { secretsOf } from "../../support/secrets.ts";
import { done, NAME, Pair, WELCOME } from "./pairing.ts";

const KINDS = ["code", "request"] as const;

describe.each(KINDS)("by %s", (kind) => {
  test("the new device shows the digits that the active one accepts, and is in the log", () => {
    const pair = new Pair(1, kind);
    const { digits, asking, waiting, offer, reveal } = pair.upToDigits();
    expect(digits).toMatch(/^\d{6}$/);
    expect(asking.said.name).toBe(NAME);
    const sure = pair.sure(asking, digits);
    const { entry, preKeys } = pair.add(sure);
    const { userId, now: nowSeconds } = pair.owner;
    const account = readAccountLog([...pair.owner.entries, entry], { userId, nowSeconds });
    const { deviceId, identityKey } = sure.device;
    expect(activeDevice(account, deviceId)?.identityKey.equals(identityKey)).toBe(true);
    const record = checkPreKeyUpload(preKeys ?? { set: undefined, oneTimePreKeys: [] }, { account, deviceId, nowSeconds });
    expect(record?.deviceId).toBe(deviceId);
    const { blob } = welcomeDevice(sure, { ...WELCOME, head: account.head }, pair.random);
    expect(done(openAnswer(waiting, blob, nowSeconds)).output).toEqual({ kind: "welcome", ...WELCOME, head: account.head });
    for (const { length } of [offer, reveal, blob]) expect(length).toBeLessThanOrEqual(MAX_LINK_BLOB_BYTES / 4);
  });

  test("whoever types something else three times is told so, and the new device hears that it ended", () => {
    const pair = new Pair(2, kind);
    const { digits, asking, waiting } = pair.upToDigits();
    const wrong = digits === "000000" ? "000001" : "000000";
    const first = typeDigits(asking, wrong, pair.random);
    if (first.kind !== "wrong") throw new Error(first.kind);
    expect(first.state.triesLeft).toBe(2);
    const second = typeDigits(first.state, wrong, pair.random);
    if (second.kind !== "wrong") throw new Error(second.kind);
    expect(second.state.triesLeft).toBe(1);
    // The third may still be right.
    expect(typeDigits(second.state, digits, pair.random).kind).toBe("right");
    const third = typeDigits(second.state, wrong, pair.random);
    if (third.kind !== "ended") throw new Error(third.kind);
    expect(done(openAnswer(waiting, third.blob, pair.owner.now)).output).toEqual({ kind: "refused" });
  });

  test("a device that is not wanted hears that it is not", () => {
    const pair = new Pair(3, kind);
    const { digits, asking, waiting } = pair.upToDigits();
    for (const state of [asking, pair.sure(asking, digits)]) {
      const blob = refuseLink(state, pair.random);
      const opened = openAnswer(waiting, blob, pair.owner.now);
      expect(opened).toMatchObject({ kind: "done", output: { kind: "refused" } });
    }
  });

  test("after two minutes nothing goes on, at any step and on either side", () => {
    const pair = new Pair(4, kind);
    const { newcomer, approver, offer, reveal, digits, asking, waiting } = new Pair(4, kind).upToDigits();
    const sure = pair.sure(asking, digits);
    const blob = refuseLink(sure, pair.random);
    const last = pair.owner.now + LINK_TICKET_LIFETIME_SECONDS;
    const met = done(openOffer(newcomer, offer, last)).state;
    const device = pair.newDevice(met.offer.deviceId);
    const preKeys = pair.preKeys(device, met.offer);
    const { first: signer } = pair.owner;
    const steps = [
      (nowSeconds: number) => openOffer(newcomer, offer, nowSeconds),
      (nowSeconds: number) => openAnswer(waiting, blob, nowSeconds),
      (nowSeconds: number) => addLinkedDevice(sure, { signer, nowSeconds }, pair.random),
    ];
    for (const step of steps) {
      expect(step(last).kind).toBe("done");
      expect(step(last + 1)).toEqual({ kind: "refused", code: "expired" });
      // A clock that was set back does not make it last.
      expect(step(pair.owner.now - LINK_TICKET_LIFETIME_SECONDS - 1)).toEqual({ kind: "refused", code: "expired" });
    }
    // Those two have spent what they need.
    expect(openReveal(approver, reveal, last + 1)).toEqual({ kind: "refused", code: "expired" });
    expect(revealDevice(met, { device, name: NAME, preKeys, nowSeconds: last + 1 }, pair.random)).toEqual({
      kind: "refused",
      code: "expired",
    });
  });

  test("no state prints a secret, and what a step spends is what the next state does not hold", () => {
    const pair = new Pair(5, kind);
    const newcomer = pair.begin();
    const { state: approver, output: offer } = pair.offer(pair.ticketOf(newcomer));
    const { state: met } = pair.meet(newcomer, offer);
    const device = pair.newDevice(met.offer.deviceId);
    const preKeys = pair.preKeys(device, met.offer);
    const revealed = revealDevice(met, { device, name: NAME, preKeys, nowSeconds: pair.owner.now }, pair.random);
    if (revealed.kind === "refused") throw new Error(revealed.code);
    const asked = openReveal(approver, revealed.output.blob, pair.owner.now);
    if (asked.kind === "refused") throw new Error(asked.code);
    const typed = typeDigits(asked.state, revealed.output.digits, pair.random);
    if (typed.kind !== "right") throw new Error(typed.kind);
    for (const [before, after, spent] of [
      [met, revealed.state, revealed.spent],
      [approver, asked.state, asked.spent],
      [asked.state, typed.state, typed.spent],
    ] as const) {
      const kept = new Set(secretsOf(after).map(([, secret]) => secret));
      for (const secret of spent) expect(kept.has(secret)).toBe(false);
      for (const [path, secret] of secretsOf(before)) expect([path, kept.has(secret) || spent.includes(secret)]).toEqual([path, true]);
      const printed = JSON.stringify(before);
      expect(secretsOf(before).length).toBeGreaterThan(0);
      for (const [, secret] of secretsOf(before)) {
        expect(printed).not.toContain(toHex(secret.expose()).slice(0, 12));
        expect(printed).not.toContain([...secret.expose().subarray(0, 6)].join(","));
      }
    }
  });
});

/** The digits once more, from the words of docs/linking.md: with BigInt, and with labels written out. */
function digitsByHand(parts: { readonly shared: Bytes; readonly secret: Bytes; readonly fields: readonly Bytes[] }): string {
  const framed = parts.fields.flatMap((field) => [be32(field.length), field]);
  const salt = sha256(concat(ascii("Edgewise/link/transcript/v1\u0000"), ...framed));
  const inputKey = concat(parts.shared, parts.secret);
  const bytes = hkdf({ salt, inputKey, info: ascii("Edgewise/link/digits/v1"), length: 32 });
  return String(BigInt(`0x${toHex(bytes)}`) % 1_000_000n).padStart(6, "0");
}

test.each(KINDS)("the digits by %s are what the transcript says, computed another way", (kind) => {
  const pair = new Pair(6, kind);
  const newcomer = pair.begin();
  const { ticket, ephemeral, nonce } = newcomer;
  const { output: offer } = pair.offer(pair.ticketOf(newcomer));
  const met = pair.meet(newcomer, offer).state;
  const shared = agree(ephemeral.privateKey, parsePublicKey(met.offer.ephemeralKey));
  const secret = ticket.secret?.expose().slice() ?? EMPTY;
  const fields = [fromHex(ticket.rendezvousId), ticket.commitment, offer, ephemeral.publicKey.encode(), nonce];
  expect(ticket.commitment).toEqual(
    sha256(concat(ascii("Edgewise/link/commitment/v1\u0000"), be32(33), ephemeral.publicKey.encode(), be32(32), nonce)),
  );
  expect(pair.reveal(met).digits).toBe(digitsByHand({ shared, secret, fields }));
});

test("two links have other digits, keys and places", () => {
  const pair = new Pair(7);
  const [one, two] = [pair.upToDigits(), pair.upToDigits()];
  expect(one.digits).not.toBe(two.digits);
  expect(one.newcomer.ticket.rendezvousId).not.toBe(two.newcomer.ticket.rendezvousId);
  expect(decodeLinkReveal(one.reveal).ephemeralKey).not.toEqual(decodeLinkReveal(two.reveal).ephemeralKey);
  expect(one.offer).not.toEqual(two.offer);
});

test("what is typed is compared as it is: nothing near the digits passes for them", () => {
  const pair = new Pair(8);
  const { digits, asking } = pair.upToDigits();
  const fullWidth = [...digits].map((digit) => String.fromCodePoint(0xff10 + Number(digit))).join("");
  for (const typed of ["", ` ${digits}`, `${digits}\n`, `${digits}0`, digits.slice(1), `0x${digits}`, fullWidth, "123456\u0000"]) {
    expect([typed, typeDigits(asking, typed, pair.random).kind]).toEqual([typed, "wrong"]);
  }
  expect(typeDigits(asking, digits, pair.random).kind).toBe("right");
});

test("a code is the ticket, and a request has none", () => {
  const pair = new Pair(9);
  const newcomer = pair.begin();
  const { rendezvousId, commitment, secret } = openLinkCode(linkCodeOf(newcomer));
  expect([rendezvousId, commitment]).toEqual([newcomer.ticket.rendezvousId, newcomer.ticket.commitment]);
  expect(secret?.expose()).toEqual(newcomer.ticket.secret?.expose());
  expect(linkCodeOf(newcomer).length).toBe(86);
  expect(() => linkCodeOf(new Pair(10, "request").begin())).toThrow(UsageError);
});

test("whoever asks a named account takes an offer of no other", () => {
  const pair = new Pair(11, "request");
  const newcomer = pair.begin();
  const other = new Pair(12).offer({ ...newcomer.ticket, secret: undefined });
  expect(openOffer(newcomer, other.output, pair.owner.now)).toEqual({ kind: "refused", code: "bad-address" });
});

test("an account with six devices offers nothing", () => {
  const pair = new Pair(13);
  while (pair.owner.devices.length < MAX_DEVICES_PER_ACCOUNT) pair.owner.add();
  const { ticket } = pair.begin();
  const { account, first, now: nowSeconds } = pair.owner;
  const input = { ticket, commitment: ticket.commitment, account, signer: first.deviceId, nowSeconds };
  expect(offerLink(input, pair.random)).toEqual({ kind: "refused", code: "over-limit" });
});

test("an account that has changed meanwhile takes another attempt: the entry is not its next one", () => {
  const pair = new Pair(14);
  const { digits, asking } = pair.upToDigits();
  const { entry } = pair.add(pair.sure(asking, digits));
  pair.owner.add();
  expect(codeOf(() => extendAccount(pair.owner.account, entry, pair.owner.now))).toBe("out-of-order");
});

test("a device that has the id of another does not reveal itself", () => {
  const pair = new Pair(15);
  const newcomer = pair.begin();
  const met = pair.meet(newcomer, pair.offer(pair.ticketOf(newcomer)).output).state;
  const device = pair.newDevice(parseDeviceId(99));
  const input = { device, name: NAME, preKeys: pair.preKeys(device, met.offer), nowSeconds: pair.owner.now };
  expect(() => revealDevice(met, input, pair.random)).toThrow(UsageError);
});

test("a signer that is none any more adds nobody", () => {
  const pair = new Pair(16);
  const { digits, asking } = pair.upToDigits();
  const stranger = new Owner(17).first;
  const added = addLinkedDevice(pair.sure(asking, digits), { signer: stranger, nowSeconds: pair.owner.now }, pair.random);
  expect(added).toEqual({ kind: "refused", code: "bad-signature" });
});
