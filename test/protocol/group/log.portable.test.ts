// The log of a group under attack: by its server, which has no key, by members, and by time. Each refusal has its code, and
// the state that was there is still there, byte for byte.

import { applyGroupEntry, openGroupEntry, stateHashOf } from "#protocol";
import {
  type AddedMember,
  ascii,
  be32,
  type Bytes,
  concat,
  copy,
  decodeGroupEntry,
  encodeGroupEntry,
  encodeGroupState,
  fromHex,
  GROUP_TYPES,
  type GroupState,
  MAX_GROUP_ENTRY_BYTES,
  MAX_GROUP_LOG_PLACES,
  parseGroupId,
  toHex,
  toUtf8,
} from "#wire";
import { LABELS, labelled, sha256, xchachaSeal } from "#crypto";
import { expect, test } from "vitest";
import { entryKey } from "../../../protocol/group/keys.ts";
import { found, Owner } from "../../support/accounts.ts";
import { verdictOf } from "../../support/codes.ts";
import { accepted } from "../../support/devices.ts";
import { forgeEntry, type GroupForgery, sealedFor } from "../../support/group-forge.ts";
import { Seat, settledTown, Town } from "../../support/groups.ts";
import { seededRandom } from "../../support/random.ts";

const SKIP = { kind: "refused", next: "skip" };

/** What a reader makes of a forgery by the first person, who is an admin. */
function refusal(town: Town, forgery: GroupForgery, by: Seat = town.seat(0)): string {
  const reader = town.seat(2);
  const before = reader.bytes;
  const outcome = town.offer(reader, sealedFor(town, by, forgeEntry(town, by, forgery)));
  expect(outcome).toMatchObject(SKIP);
  expect(reader.bytes).toBe(before);
  return outcome.kind === "refused" ? outcome.code : "accepted";
}

test("a forged statement is refused, each part of it with a code of its own", () => {
  const town = settledTown(1, 4);
  const { state } = town.seat(2).current;
  const [first, second, third] = [town.seat(0), town.seat(1), town.seat(2)];
  expect(refusal(town, { signedBy: second.device.identity })).toBe("bad-signature");
  expect(refusal(town, { label: LABELS.SIGN_LOG_ENTRY })).toBe("bad-signature");
  expect(refusal(town, { statement: { version: town.log.length } })).toBe("out-of-order");
  expect(refusal(town, { statement: { version: town.log.length + 2 } })).toBe("out-of-order");
  expect(refusal(town, { statement: { previousHead: new Uint8Array(32) } })).toBe("broken-chain");
  expect(refusal(town, { statement: { groupId: parseGroupId("ab".repeat(32)) } })).toBe("bad-address");
  expect(refusal(town, { statement: { signerHead: { length: 1, hash: new Uint8Array(32) } } })).toBe("not-authorized");
  expect(refusal(town, { statement: { signerHead: { ...first.owner.account.head, length: 2 } } })).toBe("not-authorized");
  expect(refusal(town, { snapshot: encodeGroupState(state) })).toBe("bad-state");
  expect(refusal(town, { snapshot: ascii("nothing") })).toBe("bad-state");
  const adding = (members: readonly AddedMember[], inviteId?: Bytes): GroupForgery => ({ operation: { kind: "add", members, inviteId } });
  const stranger = { userId: new Owner(900).userId, logLength: 1 };
  expect(refusal(town, adding([{ ...stranger, userId: third.userId }]))).toBe("duplicate");
  expect(refusal(town, adding([]))).toBe("missing-field");
  expect(refusal(town, adding([stranger, stranger]))).toBe("not-canonical");
  expect(refusal(town, adding([{ ...stranger, logLength: 4161 }]))).toBe("over-limit");
  expect(refusal(town, adding([stranger], new Uint8Array(16)))).toBe("bad-address");
  expect(refusal(town, { operation: { kind: "withdraw", inviteId: new Uint8Array(16) } })).toBe("bad-address");
  const nonce = new Uint8Array(32).fill(1);
  const again = { kind: "create", nonce, title: "x", groupCommitment: nonce, adminCommitment: nonce } as const;
  expect(refusal(town, { operation: again })).toBe("not-authorized");
  // The next honest entry is read as if nothing had been.
  town.act(first, { kind: "rename", title: "Still there" });
  town.catchUpAll();
  expect(third.current.state.title).toBe("Still there");
});

test.each([
  ["two lines", "a\nb", "bad-value"],
  ["a character that turns the text", "a\u202eb", "bad-value"],
  ["a character too many", "x".repeat(101), "bad-value"],
  ["more bytes than any title has", "x".repeat(401), "too-long"],
])("a title of %s is refused by readers, whoever wrote it", (_, title, code) => {
  const town = settledTown(17, 3);
  const text = toUtf8(title);
  const details = concat(
    Uint8Array.of(0x0a),
    text.length < 128 ? Uint8Array.of(text.length) : Uint8Array.of((text.length & 0x7f) | 0x80, text.length >> 7),
    text,
  );
  expect(refusal(town, { statement: { type: GROUP_TYPES.rename, details } })).toBe(code);
});

test("a 101st member is refused, by the author and by readers", () => {
  const town = new Town(2, 1);
  const admin = town.seat(0);
  const accounts = Array.from({ length: 100 }, (_, i) => new Owner(5000 + i).account);
  town.act(admin, { kind: "add", members: accounts.slice(0, 98) });
  town.seats.push(new Seat(new Owner(6000)));
  town.admit(admin, town.seat(1));
  expect(admin.current.state.members.length).toBe(100);
  const before = admin.bytes;
  const one = { kind: "add", members: accounts.slice(98, 99) } as const;
  expect(town.author(admin, one)).toEqual({ kind: "refused", code: "over-limit" });
  expect(admin.bytes).toBe(before);
  const members = accounts.slice(99).map(({ userId }) => ({ userId, logLength: 1 }));
  const forged = forgeEntry(town, admin, { operation: { kind: "add", members, inviteId: undefined } });
  expect(town.offer(town.seat(1), sealedFor(town, admin, forged))).toEqual({ ...SKIP, code: "over-limit" });
});

test("a replayed, reordered or repeated entry changes nothing", () => {
  const town = settledTown(3, 3);
  const reader = town.seat(2);
  for (const title of ["one", "two", "three"]) town.act(town.seat(0), { kind: "rename", title });
  const last = town.log.length;
  const before = reader.bytes;
  // The ciphertext knows its place: the server cannot even show it elsewhere.
  expect(town.offer(reader, town.at(last - 1), last - 2)).toEqual({ ...SKIP, code: "bad-tag" });
  // A place that is shown before the ones it stands on.
  expect(town.offer(reader, town.at(last), last)).toEqual({ ...SKIP, code: "broken-chain" });
  expect(reader.bytes).toBe(before);
  town.catchUp(reader);
  const after = reader.bytes;
  for (let version = reader.read; version > reader.read - 3; version--) {
    expect(town.offer(reader, town.at(version), version)).toMatchObject({ ...SKIP, code: "out-of-order" });
  }
  // A member who decrypts an old entry and encrypts it for a new place has changed nothing that was signed.
  const old = town.plain(last - 1, reader);
  expect(town.offer(reader, sealedFor(town, reader, old))).toEqual({ ...SKIP, code: "out-of-order" });
  expect(reader.bytes).toBe(after);
});

test("whoever has no key, the server above all, has nothing to say", () => {
  const town = settledTown(4, 3);
  const reader = town.seat(2);
  const before = reader.bytes;
  const other = settledTown(5, 3);
  const foreign = other.act(other.seat(0), { kind: "rename", title: "elsewhere" });
  for (const [ciphertext, code] of [
    [new Uint8Array(4096 + 40), "bad-tag"],
    [foreign.ciphertext, "bad-tag"],
    [new Uint8Array(0), "bad-length"],
    [new Uint8Array(40), "bad-length"],
    [new Uint8Array(4095 + 40), "bad-length"],
    [new Uint8Array(MAX_GROUP_ENTRY_BYTES + 4096 + 40), "bad-length"],
  ] as const) {
    expect(town.offer(reader, ciphertext)).toEqual({ ...SKIP, code });
  }
  expect(reader.bytes).toBe(before);
});

test("rubbish at a place leaves it empty for everybody, and the log goes on behind it", () => {
  const town = settledTown(6, 4);
  town.log.push(new Uint8Array(4096 + 40));
  town.log.push(sealedFor(town, town.seat(3), forgeEntry(town, town.seat(3), {})));
  expect(town.act(town.seat(0), { kind: "remove", userIds: [town.seat(3).userId] }).version).toBe(town.log.length);
  town.act(town.seat(1), { kind: "rename", title: "Without him" });
  town.catchUpAll();
  const [first, second, third] = [town.seat(0), town.seat(1), town.seat(2)];
  expect(new Set([first.hash, second.hash, third.hash]).size).toBe(1);
  expect(third.skipped).toEqual(["bad-tag", "not-authorized"]);
  expect(third.current.state.title).toBe("Without him");
});

test("two histories do not merge: who was shown one refuses the other, and the state hashes tell", () => {
  const town = settledTown(7, 4);
  const version = town.log.length + 1;
  const one = accepted(town.author(town.seat(0), { kind: "rename", title: "one" }));
  const two = accepted(town.author(town.seat(1), { kind: "rename", title: "two" }));
  town.offer(town.seat(2), one.output.ciphertext, version);
  town.offer(town.seat(3), two.output.ciphertext, version);
  expect(town.seat(2).hash).toBe(toHex(one.output.stateHash));
  expect(town.seat(3).hash).not.toBe(town.seat(2).hash);
  town.seat(0).record = one.state;
  town.log.push(one.output.ciphertext);
  town.seat(0).read = version;
  const next = town.act(town.seat(0), { kind: "rename", title: "three" });
  const before = town.seat(3).bytes;
  expect(town.offer(town.seat(3), next.ciphertext, version + 1)).toEqual({ ...SKIP, code: "broken-chain" });
  expect(town.seat(3).bytes).toBe(before);
});

test("another beginning under the same id is refused", () => {
  const town = new Town(8, 2);
  const other = new Town(9, 1);
  const first = town.plain(1, town.seat(0));
  const forged = other.plain(1, other.seat(0));
  const keyOf = town.keyOf;
  const { groupId } = town;
  const done = accepted(applyGroupEntry(undefined, first, { groupId, version: 1, keyOf }));
  expect(toHex(stateHashOf(done.state))).toBe(town.seat(0).hash);
  expect(applyGroupEntry(undefined, forged, { groupId, version: 1, keyOf: other.keyOf })).toEqual({ kind: "refused", code: "bad-address" });
  // The same statement, signed again, is another beginning as well.
  const { statement, signature } = decodeGroupEntry(first);
  const again = encodeGroupEntry({
    statement,
    signature: signature.map((byte, i) => (i === 63 ? byte ^ 0x80 : byte)),
    snapshot: undefined,
  });
  expect(applyGroupEntry(undefined, again, { groupId, version: 1, keyOf })).toEqual({ kind: "refused", code: "bad-address" });
  expect(applyGroupEntry(undefined, first, { groupId, version: 2, keyOf })).toEqual({ kind: "refused", code: "out-of-order" });
  expect(applyGroupEntry(done.state, first, { groupId, version: 1, keyOf })).toEqual({ kind: "refused", code: "out-of-order" });
  expect(applyGroupEntry(undefined, first, { groupId, version: 1, keyOf: () => undefined })).toEqual({
    kind: "refused",
    code: "not-authorized",
  });
});

test("a group begins with its creation and with nothing else", () => {
  const town = new Town(19, 1);
  const statement = { version: 1, groupId: undefined, previousHead: undefined };
  const entry = forgeEntry(town, town.seat(0), { statement });
  const { statement: signed, signature } = decodeGroupEntry(entry);
  const groupId = parseGroupId(toHex(sha256(labelled(LABELS.GROUP_ID, signed, signature))));
  const input = { groupId, version: 1, keyOf: town.keyOf };
  expect(applyGroupEntry(undefined, entry, input)).toEqual({ kind: "refused", code: "not-authorized" });
});

test("every prefix of a log is a state of its own, and its end cannot be told from a truncated one", () => {
  const town = new Town(10, 1);
  const admin = town.seat(0);
  for (let i = 0; i < 6; i++) town.act(admin, { kind: "rename", title: `title ${i}` });
  const { groupId, keyOf } = town;
  let state: GroupState | undefined;
  const hashes = new Set<string>();
  for (let version = 1; version <= town.log.length; version++) {
    state = accepted(applyGroupEntry(state, town.plain(version, admin), { groupId, version, keyOf })).state;
    hashes.add(toHex(stateHashOf(state)));
  }
  expect(hashes.size).toBe(town.log.length);
  expect(toHex(stateHashOf(found(state)))).toBe(admin.hash);
});

test("a device that was revoked before the head signs nothing, and one that was there then is still believed", () => {
  const town = settledTown(11, 3);
  const admin = town.seat(0);
  const phone = admin.owner.add();
  const shared = new Seat(admin.owner, phone);
  shared.record = admin.current;
  const good = sealedFor(town, admin, forgeEntry(town, shared, { operation: { kind: "rename", title: "from the phone" } }));
  admin.owner.revoke(phone);
  const late = sealedFor(town, admin, forgeEntry(town, shared, {}));
  const reader = town.seat(2);
  expect(town.offer(reader, late)).toEqual({ ...SKIP, code: "not-authorized" });
  expect(town.offer(reader, good)).toMatchObject({ kind: "done" });
});

test("once a rotation has shown a longer log, what was signed as of a shorter one is refused: a revoked device cannot date itself back", () => {
  const town = settledTown(12, 3);
  const [admin, other, reader] = [town.seat(0), town.seat(1), town.seat(2)];
  const phone = admin.owner.add();
  const { head } = admin.owner.account;
  admin.owner.revoke(phone);
  town.act(other, { kind: "rotate" });
  town.catchUpAll();
  const stolen = new Seat(admin.owner, phone);
  stolen.record = admin.current;
  const back = forgeEntry(town, stolen, { statement: { signerHead: head } });
  const before = reader.bytes;
  expect(town.offer(reader, sealedFor(town, admin, back))).toEqual({ ...SKIP, code: "expired" });
  expect(reader.bytes).toBe(before);
  expect(town.act(admin, { kind: "rename", title: "still mine" }).version).toBe(town.log.length);
  // A rotation that shows an older log than was shown is refused too.
  const stale = { ...admin.owner.account, head: { length: 1, hash: found(admin.owner.states[0]).head.hash } };
  const seats = town.seats.map(({ owner }) => (owner === admin.owner ? stale : owner.account));
  town.catchUpAll();
  expect(town.authorWith(other, { kind: "rotate" }, (userId) => seats.find((account) => account.userId === userId))).toEqual({
    kind: "refused",
    code: "expired",
  });
});

test("the state keeps the longest account log that was shown: by signing, when added, when promoted, in a rotation", () => {
  const town = settledTown(18, 3);
  const [admin, member] = [town.seat(0), town.seat(2)];
  const shown = ({ userId }: Seat): number | undefined => admin.current.state.members.find((other) => other.userId === userId)?.logLength;
  admin.owner.add();
  expect(shown(admin)).toBe(1);
  town.act(admin, { kind: "rename", title: "x" });
  expect(shown(admin)).toBe(2);
  const joining = new Seat(new Owner(995));
  joining.owner.add();
  town.seats.push(joining);
  town.admit(admin, joining);
  expect(shown(joining)).toBe(2);
  member.owner.add();
  town.act(admin, { kind: "promote", userId: member.userId });
  expect(shown(member)).toBe(2);
  member.owner.add();
  town.act(admin, { kind: "rotate" });
  expect(shown(member)).toBe(3);
  // Who draws the rotation by an older view of his own log than he signs by still shows the newer.
  const older = admin.owner.account;
  admin.owner.add();
  const account = (userId: string): Owner["account"] | undefined => town.seats.find((seat) => seat.userId === userId)?.owner.account;
  const done = accepted(town.authorWith(admin, { kind: "rotate" }, (userId) => (userId === admin.userId ? older : account(userId))));
  expect(done.state.state.members.find(({ userId }) => userId === admin.userId)?.logLength).toBe(3);
});

test("what keyOf throws passes through and decides nothing", () => {
  const town = settledTown(13, 3);
  const entry = forgeEntry(town, town.seat(0), {});
  const { state } = town.seat(2).current;
  const offline = (): never => {
    throw new RangeError("offline");
  };
  const input = { groupId: town.groupId, version: town.log.length + 1, keyOf: offline };
  expect(() => applyGroupEntry(state, entry, input)).toThrow("offline");
});

test("no byte of an entry can be changed, neither of the ciphertext nor, by a member, of what is inside", () => {
  const town = settledTown(14, 3);
  town.seats.push(new Seat(new Owner(990)));
  const reader = town.seat(2);
  const { output } = accepted(town.author(town.seat(0), { kind: "add", members: [town.seat(3).owner.account] }));
  const before = reader.bytes;
  const step = 97;
  for (let at = 0; at < output.ciphertext.length; at += at < 200 ? 1 : step) {
    expect(town.offer(reader, flipped(output.ciphertext, at))).toEqual({ ...SKIP, code: "bad-tag" });
  }
  const place = { groupId: town.groupId, version: town.log.length + 1 };
  const inside = openGroupEntry(output.ciphertext, place, found(reader.current.secrets).groupSecret);
  for (let at = 0; at < inside.length; at++) {
    const outcome = applyGroupEntry(reader.current.state, flipped(inside, at), { ...place, keyOf: town.keyOf });
    expect([at, outcome.kind]).toEqual([at, "refused"]);
  }
  for (const changed of [concat(inside, new Uint8Array(1)), inside.slice(0, -1), concat(inside, Uint8Array.of(0x82, 0x08, 1, 0))]) {
    expect(applyGroupEntry(reader.current.state, changed, { ...place, keyOf: town.keyOf }).kind).toBe("refused");
  }
  expect(reader.bytes).toBe(before);
  expect(town.offer(reader, output.ciphertext).kind).toBe("done");
});

test("the padding has one form", () => {
  const town = new Town(15, 1);
  const admin = town.seat(0);
  for (const length of [0, 1, 4094, 4095, 4096, 8191]) {
    const sealed = sealedFor(town, admin, new Uint8Array(length).fill(7), 2);
    expect((sealed.length - 40) % 4096).toBe(0);
    expect(sealed.length - 40 - length).toBeLessThanOrEqual(4096);
    expect(openGroupEntry(sealed, { groupId: town.groupId, version: 2 }, found(admin.current.secrets).groupSecret).length).toBe(length);
  }
  expect(() => sealedFor(town, admin, new Uint8Array(MAX_GROUP_ENTRY_BYTES))).toThrow("over-limit");
  const { groupSecret } = found(admin.current.secrets);
  const key = entryKey(town.groupId, groupSecret);
  const opened = (padded: Bytes): string => {
    const sealed = xchachaSeal(key, padded, concat(fromHex(town.groupId), be32(2)), seededRandom(1));
    const verdict = verdictOf(() => openGroupEntry(sealed, { groupId: town.groupId, version: 2 }, groupSecret));
    return verdict.kind === "refused" ? verdict.code : "accepted";
  };
  const padded = (length: number, at: number, byte: number): Bytes => new Uint8Array(length).fill(byte, at, at + 1);
  expect(opened(padded(8192, 4096, 0x80))).toBe("accepted");
  expect(opened(padded(8192, 4095, 0x80))).toBe("bad-padding");
  expect(opened(padded(4096, 0, 0x80))).toBe("accepted");
  expect(opened(padded(4096, 7, 0x81))).toBe("bad-padding");
  expect(opened(new Uint8Array(4096))).toBe("bad-padding");
});

test("a log has an end", () => {
  const town = new Town(16, 1);
  expect(town.author(town.seat(0), { kind: "rename", title: "x" }, MAX_GROUP_LOG_PLACES).kind).toBe("done");
  expect(town.author(town.seat(0), { kind: "rename", title: "x" }, MAX_GROUP_LOG_PLACES + 1)).toEqual({
    kind: "refused",
    code: "over-limit",
  });
});

function flipped(bytes: Bytes, at: number): Bytes {
  const changed = copy(bytes);
  changed[at] = (changed[at] ?? 0) ^ 1;
  return changed;
}
