// Who may do what, by table: the author refuses to write what readers refuse to read, and readers refuse what was written
// all the same, with real keys and real secrets.

import { type GroupIntent, openGroupEntry } from "#protocol";
import {
  ascii,
  decodeGroupDetails,
  decodeGroupEntry,
  decodeGroupStatement,
  EMPTY,
  encodeGroupDetails,
  fromHex,
  GROUP_TYPES,
  type GroupOperation,
  parseMediaId,
} from "#wire";
import { describe, expect, test } from "vitest";
import { found, Owner } from "../../support/accounts.ts";
import { accepted } from "../../support/devices.ts";
import { forgeEntry, sealedFor } from "../../support/group-forge.ts";
import { Seat, settledTown, type Town } from "../../support/groups.ts";

const AVATAR = {
  mediaId: parseMediaId("ab".repeat(32)),
  accessSecret: new Uint8Array(32).fill(1),
  key: new Uint8Array(32).fill(2),
  digest: new Uint8Array(32).fill(3),
  size: 5,
  mime: "image/png",
  name: "",
  width: 1,
  height: 1,
  thumbhash: EMPTY,
  contentDigest: undefined,
};

/** Seat 0 and 1 are admins, 2 and 3 members, 4 a stranger. */
const INTENTS: Readonly<Record<string, (town: Town) => GroupIntent>> = {
  add: (town) => ({ kind: "add", members: [town.seat(4).owner.account] }),
  remove: (town) => ({ kind: "remove", userIds: [town.seat(3).userId] }),
  rename: () => ({ kind: "rename", title: "Chess club" }),
  promote: (town) => ({ kind: "promote", userId: town.seat(3).userId }),
  demote: (town) => ({ kind: "demote", userId: town.seat(0).userId }),
  avatar: () => ({ kind: "avatar", avatar: AVATAR }),
  rotate: () => ({ kind: "rotate" }),
  invite: () => ({ kind: "invite", uses: 3, expiresSeconds: 2_000_000_000, approval: true }),
};

function townWithStranger(seed: number): Town {
  const town = settledTown(seed, 4);
  town.seats.push(new Seat(new Owner(seed * 1000 + 99)));
  return town;
}

describe.each(Object.keys(INTENTS))("%s", (kind) => {
  const intentFor = (town: Town): GroupIntent => {
    const make = INTENTS[kind];
    if (make === undefined) throw new RangeError("no such operation");
    return make(town);
  };

  test("an admin may, and everybody reads the same state", () => {
    const town = townWithStranger(1);
    const before = town.seat(2).hash;
    town.act(town.seat(1), intentFor(town));
    town.catchUpAll();
    const members = town.seats.filter((seat) => seat.record?.state.version === town.log.length);
    expect(members.length).toBeGreaterThanOrEqual(3);
    expect(new Set(members.map((seat) => seat.hash)).size).toBe(1);
    expect(members[0]?.hash).not.toBe(before);
  });

  test("a member may not: neither write it, nor have it read when it was written with an admin's program", () => {
    const town = townWithStranger(2);
    const member = town.seat(2);
    expect(town.author(member, intentFor(town))).toMatchObject({ kind: "refused", code: "not-authorized" });
    // The member knows an admin's operation word for word, and has the key that encrypts: only the signature is missing.
    const operation = operationOf(town, intentFor(town));
    const before = town.seat(3).bytes;
    const outcome = town.offer(town.seat(3), sealedFor(town, member, forgeEntry(town, member, { operation })));
    expect(outcome).toEqual({ kind: "refused", code: "not-authorized", next: "skip" });
    expect(town.seat(3).bytes).toBe(before);
  });

  test("who is no member may not, even with the group's secret", () => {
    const town = townWithStranger(3);
    const stranger = town.seat(4);
    stranger.record = town.seat(2).current;
    const operation = operationOf(town, intentFor(town));
    const outcome = town.offer(town.seat(3), sealedFor(town, stranger, forgeEntry(town, stranger, { operation })));
    expect(outcome).toEqual({ kind: "refused", code: "not-authorized", next: "skip" });
  });
});

/** The operation that an admin's program makes of the intent. */
function operationOf(town: Town, intent: GroupIntent): GroupOperation {
  const { output } = accepted(town.author(town.seat(1), intent));
  const { groupSecret } = found(town.seat(1).current.secrets);
  const entry = decodeGroupEntry(openGroupEntry(output.ciphertext, { groupId: town.groupId, version: output.version }, groupSecret));
  return decodeGroupDetails(decodeGroupStatement(entry.statement));
}

test("a member may leave, an admin too, and the last admin not while others are there", () => {
  const town = settledTown(4, 4);
  expect(town.act(town.seat(2), { kind: "leave" }).authority).toBe("member");
  expect(town.seat(2).current.secrets).toBeUndefined();
  town.catchUpAll();
  expect(town.seat(0).current.state).toMatchObject({ rotationDue: true, epoch: 0 });
  expect(town.act(town.seat(0), { kind: "leave" }).authority).toBe("admin");
  town.catchUpAll();
  const before = town.seat(1).bytes;
  expect(town.author(town.seat(1), { kind: "leave" })).toMatchObject({ kind: "refused", code: "not-authorized" });
  expect(town.seat(1).bytes).toBe(before);
  town.act(town.seat(1), { kind: "rotate" });
  expect(town.seat(1).current.state.rotationDue).toBe(false);
  town.act(town.seat(1), { kind: "remove", userIds: [town.seat(3).userId] });
  town.act(town.seat(1), { kind: "leave" });
  expect(town.seat(1).current).toMatchObject({ state: { members: [], rotationDue: false }, secrets: undefined });
});

test("nobody is removed, demoted or promoted by himself", () => {
  const town = settledTown(5, 3);
  const admin = town.seat(0);
  for (const intent of [
    { kind: "remove", userIds: [admin.userId] },
    { kind: "remove", userIds: [town.seat(2).userId, admin.userId] },
    { kind: "demote", userId: admin.userId },
  ] as const) {
    expect(town.author(admin, intent)).toEqual({ kind: "refused", code: "not-authorized" });
  }
  expect(town.author(town.seat(2), { kind: "promote", userId: town.seat(2).userId })).toEqual({ kind: "refused", code: "not-authorized" });
});

test("somebody who was removed, or demoted, has no role any more", () => {
  const town = settledTown(6, 4);
  const [first, second, third, fourth] = [town.seat(0), town.seat(1), town.seat(2), town.seat(3)];
  town.act(first, { kind: "demote", userId: second.userId });
  town.catchUpAll();
  expect(second.current.secrets?.adminSecret).toBeUndefined();
  expect(town.offer(third, sealedFor(town, first, forgeEntry(town, second, {})))).toMatchObject({ code: "not-authorized", next: "skip" });
  town.act(first, { kind: "remove", userIds: [second.userId] });
  town.catchUpAll();
  expect(second.current.secrets).toBeUndefined();
  for (const operation of [{ kind: "rename", title: "x" }, { kind: "leave" }] as const) {
    const outcome = town.offer(third, sealedFor(town, first, forgeEntry(town, second, { operation })));
    expect(outcome).toEqual({ kind: "refused", code: "not-authorized", next: "skip" });
  }
  expect(fourth.hash).toBe(third.hash);
});

test("a type that only a newer version knows stops readers when an admin wrote it, and nobody else can stop them", () => {
  const town = settledTown(7, 3);
  const statement = { type: 77, details: ascii("what is to come") };
  const reader = town.seat(2);
  const before = reader.bytes;
  const byAdmin = sealedFor(town, town.seat(0), forgeEntry(town, town.seat(0), { statement }));
  expect(town.offer(reader, byAdmin)).toEqual({ kind: "refused", code: "upgrade-required", next: "stop" });
  const unsigned = forgeEntry(town, town.seat(0), { statement, signedBy: town.seat(2).device.identity });
  expect(town.offer(reader, sealedFor(town, reader, unsigned))).toEqual({ kind: "refused", code: "bad-signature", next: "skip" });
  const byMember = sealedFor(town, reader, forgeEntry(town, reader, { statement }));
  expect(town.offer(town.seat(1), byMember)).toEqual({ kind: "refused", code: "not-authorized", next: "skip" });
  // A newer field in what every member may write is no way around that.
  for (const hex of ["0801", "8a0800"]) {
    const leave = sealedFor(town, reader, forgeEntry(town, reader, { statement: { type: GROUP_TYPES.leave, details: fromHex(hex) } }));
    expect(town.offer(town.seat(1), leave)).toEqual({ kind: "refused", code: "too-long", next: "skip" });
  }
  // A newer field in an operation that is known is newer as well.
  const { type, details } = encodeGroupDetails({ kind: "rename", title: "x" });
  const newer = { type, details: Uint8Array.from([...details, 0x10, 1]) };
  expect(town.offer(reader, sealedFor(town, town.seat(0), forgeEntry(town, town.seat(0), { statement: newer })))).toMatchObject({
    code: "upgrade-required",
    next: "stop",
  });
  expect(reader.bytes).toBe(before);
});
