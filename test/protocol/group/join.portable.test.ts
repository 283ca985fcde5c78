// Who begins with a snapshot: it is believed by the hash that the inviter told, and by nothing else.

import { LABELS, labelled, Secret, sha256 } from "#crypto";
import {
  type AuthoredEntry,
  encodeGroupRecord,
  type JoinGroup,
  joinGroup,
  openGroupEntry,
  sealGroupEntry,
  signerOfEntry,
  signerOfJoin,
  stateHashOf,
} from "#protocol";
import {
  copy,
  decodeGroupEntry,
  decodeGroupState,
  encodeGroupEntry,
  encodeGroupState,
  type GroupMember,
  type GroupState,
  parseGroupId,
} from "#wire";
import { expect, test } from "vitest";
import { found, Owner } from "../../support/accounts.ts";
import { accepted } from "../../support/devices.ts";
import { forgeEntry, sealedFor } from "../../support/group-forge.ts";
import { Seat, settledTown, type Town } from "../../support/groups.ts";
import { seededRandom } from "../../support/random.ts";

const random = seededRandom(9);

/** A town whose fifth person was added just now and has not begun yet. */
function invited(seed: number): { readonly town: Town; readonly joiner: Seat; readonly added: AuthoredEntry; readonly input: JoinGroup } {
  const town = settledTown(seed, 4);
  const joiner = new Seat(new Owner(seed * 1000 + 55));
  town.seats.push(joiner);
  town.act(town.seat(0), { kind: "rename", title: "Before" });
  const added = town.act(town.seat(1), { kind: "add", members: [joiner.owner.account] });
  return { town, joiner, added, input: inputFor(town, joiner, added) };
}

function inputFor(town: Town, joiner: Seat, { version, stateHash }: AuthoredEntry): JoinGroup {
  const secrets = { groupSecret: new Secret(copy(found(town.seat(1).current.secrets).groupSecret.expose())), adminSecret: undefined };
  return { groupId: town.groupId, version, ciphertext: town.at(version), stateHash, secrets, userId: joiner.userId, keyOf: town.keyOf };
}

/** The entry with another snapshot, encrypted again by somebody who has the secret. */
function withSnapshot(town: Town, input: JoinGroup, change: (state: GroupState) => GroupState | undefined): JoinGroup {
  const place = { groupId: town.groupId, version: input.version };
  const entry = decodeGroupEntry(openGroupEntry(input.ciphertext, place, input.secrets.groupSecret));
  const state = change(decodeGroupState(found(entry.snapshot)));
  const plain = encodeGroupEntry({ ...entry, snapshot: state && encodeGroupState(state) });
  return { ...input, ciphertext: sealGroupEntry(plain, place, input.secrets.groupSecret, random) };
}

test("who was added begins with the state that all others have, and goes on as they do", () => {
  const { town, joiner, added, input } = invited(1);
  const done = accepted(joinGroup(input));
  expect(done.output.addedBy.userId).toBe(town.seat(1).userId);
  joiner.record = done.state;
  joiner.read = added.version;
  town.act(town.seat(0), { kind: "rotate" });
  town.act(town.seat(0), { kind: "promote", userId: joiner.userId });
  town.catchUpAll();
  expect(new Set(town.seats.map((seat) => seat.hash)).size).toBe(1);
  town.act(joiner, { kind: "rename", title: "By the newest" });
  town.catchUpAll();
  expect(new Set(town.seats.map((seat) => seat.hash)).size).toBe(1);
});

test("a snapshot is accepted with the told hash only", () => {
  const { town, input } = invited(2);
  const refused = (code: string): unknown => ({ kind: "refused", code });
  expect(joinGroup({ ...input, stateHash: new Uint8Array(32) })).toEqual(refused("bad-state"));
  for (const change of [
    (state: GroupState) => ({ ...state, title: "Other" }),
    (state: GroupState) => ({ ...state, members: state.members.slice(1) }),
    (state: GroupState) => ({ ...state, version: state.version + 1 }),
    () => undefined,
  ]) {
    expect(joinGroup(withSnapshot(town, input, change))).toEqual(refused("bad-state"));
  }
  expect(joinGroup(withSnapshot(town, input, (state) => state)).kind).toBe("done");
  // The state of another place, told with its own hash, is not what this entry led to.
  const other = town.act(town.seat(0), { kind: "rename", title: "Later" });
  const later = withSnapshot(town, input, () => town.seat(0).current.state);
  expect(joinGroup({ ...later, stateHash: other.stateHash })).toEqual(refused("bad-state"));
  expect(joinGroup({ ...input, version: other.version, ciphertext: other.ciphertext, stateHash: other.stateHash })).toEqual(
    refused("bad-state"),
  );
});

test("who joins checks who added, that it was added, and the secret", () => {
  const { town, input } = invited(3);
  const refused = (code: string): unknown => ({ kind: "refused", code });
  expect(joinGroup({ ...input, userId: new Owner(4242).userId })).toEqual(refused("not-authorized"));
  expect(joinGroup({ ...input, keyOf: () => undefined })).toEqual(refused("not-authorized"));
  expect(joinGroup({ ...input, keyOf: () => town.seat(2).device.identity.publicKey })).toEqual(refused("bad-signature"));
  expect(joinGroup({ ...input, secrets: { groupSecret: new Secret(random(32)), adminSecret: undefined } })).toEqual(refused("bad-tag"));
  expect(joinGroup({ ...input, secrets: { ...input.secrets, adminSecret: new Secret(random(32)) } })).toEqual(refused("bad-key"));
  expect(joinGroup({ ...input, version: input.version - 1 })).toEqual(refused("bad-tag"));
  expect(() =>
    joinGroup({
      ...input,
      keyOf: () => {
        throw new RangeError("offline");
      },
    }),
  ).toThrow("offline");
});

test("what was told has to be the state of this group at this place by this entry, whatever its hash", () => {
  const { town, input } = invited(7);
  for (const change of [
    (state: GroupState) => ({ ...state, version: state.version + 1 }),
    (state: GroupState) => ({ ...state, head: new Uint8Array(32) }),
    (state: GroupState) => ({ ...state, groupId: parseGroupId("ab".repeat(32)) }),
  ]) {
    const { state } = town.seat(1).current;
    const stateHash = stateHashOf(change(state));
    expect(joinGroup({ ...withSnapshot(town, input, change), stateHash })).toEqual({ kind: "refused", code: "bad-state" });
  }
});

test("a member who is no admin cannot add anybody, not even for who is added", () => {
  const { town, joiner, input } = invited(4);
  const member = town.seat(2);
  town.catchUp(member);
  const { statement, signature } = decodeGroupEntry(forgeEntry(town, member, {}));
  const version = town.log.length + 1;
  const state = { ...member.current.state, version, head: sha256(labelled(LABELS.GROUP_HEAD, statement, signature)) };
  const join = (state: GroupState): unknown => {
    const plain = encodeGroupEntry({ statement, signature, snapshot: encodeGroupState(state) });
    return joinGroup({
      ...input,
      version,
      ciphertext: sealedFor(town, member, plain),
      stateHash: stateHashOf(state),
      userId: joiner.userId,
    });
  };
  expect(join(state)).toEqual({ kind: "refused", code: "not-authorized" });
  // Only by telling of a group in which he is an admin: then whoever was told so is the one who disagrees with everybody.
  const members = state.members.map((other): GroupMember => (other.userId === member.userId ? { ...other, role: "admin" } : other));
  expect(join({ ...state, members })).toMatchObject({ kind: "done" });
});

test("the creator's other devices begin with the first entry", () => {
  const town = settledTown(5, 2);
  const { owner } = town.seat(0);
  const phone = new Seat(owner, owner.add());
  const first = { groupId: town.groupId, version: 1, ciphertext: town.at(1) };
  const secrets = found(town.seat(0).current.secrets);
  const place = { groupId: town.groupId, version: 1 };
  const { snapshot } = decodeGroupEntry(openGroupEntry(town.at(1), place, secrets.groupSecret));
  const state = decodeGroupState(found(snapshot));
  const told = {
    groupSecret: new Secret(copy(secrets.groupSecret.expose())),
    adminSecret: new Secret(copy(found(secrets.adminSecret).expose())),
  };
  const stateHash = stateHashOf(state);
  phone.record = accepted(joinGroup({ ...first, stateHash, secrets: told, userId: owner.userId, keyOf: town.keyOf })).state;
  phone.read = 1;
  town.catchUp(phone);
  expect(encodeGroupRecord(phone.current)).toEqual(encodeGroupRecord(town.seat(0).current));
});

test("whose account log decides is known before the entry is read", () => {
  const { town, added, input } = invited(6);
  const by = { device: { userId: town.seat(1).userId, deviceId: town.seat(1).device.deviceId }, head: town.seat(1).owner.account.head };
  expect(signerOfJoin(input)).toEqual(by);
  expect(signerOfEntry(town.seat(2).current, added)).toEqual(by);
  expect(signerOfJoin({ ...input, version: 9 })).toBeUndefined();
  expect(signerOfEntry(town.seat(2).current, { ...added, version: 9 })).toBeUndefined();
  expect(signerOfEntry({ ...town.seat(2).current, secrets: undefined }, added)).toBeUndefined();
});
