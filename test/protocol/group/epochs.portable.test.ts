// Epochs: who has which secrets, who can no longer read, and what a member does who was given others.

import { generateKeyPair, Secret } from "#crypto";
import {
  adminKeyPair,
  adoptGroupSecrets,
  decodeGroupRecord,
  encodeGroupRecord,
  type GroupRecord,
  memberKeyPair,
  openGroupEntry,
  readGroupEntry,
} from "#protocol";
import { copy, type MemberWraps, type Rotation, toHex, type UserId } from "#wire";
import { expect, test } from "vitest";
// The wraps are made by the protocol's own function: a dishonest admin has the same program.
import { commitmentsTo } from "../../../protocol/group/keys.ts";
import { wrapFor } from "../../../protocol/group/wrap.ts";
import { found, type Owner } from "../../support/accounts.ts";
import { accepted } from "../../support/devices.ts";
import { forgeEntry, sealedFor } from "../../support/group-forge.ts";
import { Seat, settledTown, type Town } from "../../support/groups.ts";
import { seededRandom } from "../../support/random.ts";
import { secretsOf, traces } from "../../support/secrets.ts";

const random = seededRandom(3);

function secretsIn(record: GroupRecord): readonly (string | undefined)[] {
  return [record.secrets?.groupSecret, record.secrets?.adminSecret].map((secret) => secret && toHex(secret.expose()));
}

/** A rotation by hand, in which `secretFor` may give somebody something else. */
function rotation(town: Town, secretFor: (userId: UserId, group: Secret, admins: Secret) => readonly Secret[], without?: UserId): Rotation {
  const { state } = town.seat(0).current;
  const [group, admins] = [new Secret(random(32)), new Secret(random(32))];
  const ephemeral = generateKeyPair(random);
  const purpose = { kind: "rotation", groupId: town.groupId, epoch: state.epoch + 1 } as const;
  const members = state.members.flatMap(({ userId }): readonly MemberWraps[] => {
    if (userId === without) return [];
    const { account } = found(town.seats.find((seat) => seat.userId === userId)).owner;
    const secrets = secretFor(userId, group, admins).flatMap((secret) => [...secret.expose()]);
    return [wrapFor(account, Uint8Array.from(secrets), ephemeral, purpose)];
  });
  return { ...commitmentsTo(group, admins), ephemeralKey: ephemeral.publicKey.encode(), members };
}

function honest(town: Town): Parameters<typeof rotation>[1] {
  return (userId, group, admins) => (userId === town.seat(0).userId || userId === town.seat(1).userId ? [group, admins] : [group]);
}

test("all members have the group's secret, and the admins' is the admins'", () => {
  const town = settledTown(1, 4);
  const [first, second, third, fourth] = town.seats.map((seat) => secretsIn(seat.current));
  expect(second).toEqual(first);
  expect(third).toEqual([found(first)[0], undefined]);
  expect(fourth).toEqual(third);
});

test.each(["rotate", "remove", "demote"] as const)("%s gives everybody who remains new secrets, and nobody else", (kind) => {
  const town = settledTown(2, 4);
  const before = secretsIn(town.seat(0).current);
  const keysBefore = town.seat(2).current;
  const retired = { groupSecret: new Secret(copy(found(keysBefore.secrets).groupSecret.expose())), adminSecret: undefined };
  const target = kind === "demote" ? town.seat(1) : town.seat(3);
  const intent = kind === "rotate" ? { kind } : kind === "remove" ? { kind, userIds: [target.userId] } : { kind, userId: target.userId };
  const entry = town.act(town.seat(0), intent);
  town.catchUpAll();
  const after = secretsIn(town.seat(0).current);
  expect(after[0]).not.toBe(before[0]);
  expect(after[1]).not.toBe(before[1]);
  expect(secretsIn(town.seat(1).current)).toEqual(kind === "demote" ? [after[0], undefined] : after);
  expect(secretsIn(town.seat(2).current)).toEqual([after[0], undefined]);
  if (kind === "remove") expect(target.current.secrets).toBeUndefined();
  expect(town.seat(0).current.state).toMatchObject({ epoch: 1, rotationDue: false });
  // What is written from now on, the old secret does not open; what ended its epoch, it does.
  const next = town.act(town.seat(0), { kind: "rename", title: "Afterwards" });
  const place = { groupId: town.groupId, version: next.version };
  expect(() => openGroupEntry(next.ciphertext, place, retired.groupSecret)).toThrow("bad-tag");
  expect(openGroupEntry(entry.ciphertext, { ...place, version: entry.version }, retired.groupSecret).length).toBeGreaterThan(0);
  // The server is told the new keys, and they are what all members derive.
  const secrets = found(town.seat(0).current.secrets);
  expect(entry.newKeys?.memberKey.equals(memberKeyPair(town.groupId, found(town.seat(2).current.secrets)).publicKey)).toBe(true);
  expect(entry.newKeys?.adminKey.equals(adminKeyPair(town.groupId, secrets).publicKey)).toBe(true);
  expect(entry.newKeys?.memberKey.equals(memberKeyPair(town.groupId, retired).publicKey)).toBe(false);
  expect(next.newKeys).toBeUndefined();
});

test("a removed account is shown nothing by the entry that removes it, and a device that was revoked cannot unwrap", () => {
  const town = settledTown(3, 4);
  const { owner } = town.seat(2);
  const phone = owner.add();
  const lost = new Seat(owner, phone);
  lost.record = decodeGroupRecord(encodeGroupRecord(town.seat(2).current));
  lost.read = town.seat(2).read;
  owner.revoke(phone);
  town.act(town.seat(0), { kind: "remove", userIds: [town.seat(3).userId] });
  town.catchUp(lost);
  town.catchUp(town.seat(2));
  expect(lost.current.state).toEqual(town.seat(2).current.state);
  expect(lost.current.secrets).toBeUndefined();
  expect(town.seat(2).current.secrets).toBeDefined();
  const next = town.act(town.seat(0), { kind: "rename", title: "x" });
  expect(readGroupEntry(lost.current, { ...next, device: lost.asGroupDevice(), keyOf: town.keyOf })).toEqual({
    kind: "refused",
    code: "bad-state",
    next: "stop",
  });
});

test("in whatever order an account lists its devices, the wraps are in theirs", () => {
  const town = settledTown(16, 3);
  const { owner } = town.seat(2);
  owner.add();
  owner.add();
  const backwards: Owner["account"] = { ...owner.account, devices: owner.account.devices.toReversed() };
  const accountOf = (userId: UserId): Owner["account"] =>
    userId === owner.userId ? backwards : found(town.seats.find((seat) => seat.userId === userId)).owner.account;
  expect(town.authorWith(town.seat(0), { kind: "rotate" }, accountOf).kind).toBe("done");
});

test("when an account leaves, its other devices lose the secrets as well", () => {
  const town = settledTown(15, 3);
  const { owner } = town.seat(2);
  const phone = new Seat(owner, owner.add());
  phone.record = decodeGroupRecord(encodeGroupRecord(town.seat(2).current));
  phone.read = town.seat(2).read;
  town.act(town.seat(2), { kind: "leave" });
  const held = secretsOf(phone.current).map(([, secret]) => secret);
  town.catchUp(phone);
  expect(phone.current.secrets).toBeUndefined();
  expect(held.map((secret) => secret.isWiped)).toEqual([true]);
});

test("a device that was linked after a rotation's author looked takes the secrets from another device of its account", () => {
  const town = settledTown(4, 3);
  const { owner } = town.seat(2);
  const stale = owner.account;
  const linked = new Seat(owner, owner.add());
  linked.record = decodeGroupRecord(encodeGroupRecord(town.seat(2).current));
  linked.read = town.seat(2).read;
  const accounts = new Map(town.seats.map((seat) => [seat.userId, seat === town.seat(2) ? stale : seat.owner.account]));
  const done = accepted(town.authorWith(town.seat(0), { kind: "rotate" }, (userId) => accounts.get(userId)));
  town.log.push(done.output.ciphertext);
  town.seat(0).record = done.state;
  town.seat(0).read++;
  town.catchUpAll();
  town.catchUp(linked);
  expect(linked.current.secrets).toBeUndefined();
  const handed = found(decodeGroupRecord(encodeGroupRecord(town.seat(2).current)).secrets);
  const wrong = { groupSecret: new Secret(random(32)), adminSecret: undefined };
  expect(adoptGroupSecrets(linked.current, wrong)).toEqual({ kind: "refused", code: "bad-key" });
  expect(adoptGroupSecrets(linked.current, { ...handed, adminSecret: new Secret(random(32)) })).toMatchObject({ code: "bad-key" });
  linked.record = accepted(adoptGroupSecrets(linked.current, handed)).state;
  town.act(town.seat(0), { kind: "rename", title: "all here" });
  town.catchUp(linked);
  expect(linked.current.state.title).toBe("all here");
});

test("an admin's device that has no admin secret appends nothing but its leaving", () => {
  const town = settledTown(14, 3);
  const admin = town.seat(1);
  const { secrets } = admin.current;
  admin.record = { ...admin.current, secrets: { groupSecret: found(secrets).groupSecret, adminSecret: undefined } };
  expect(town.author(admin, { kind: "rename", title: "x" })).toEqual({ kind: "refused", code: "not-authorized" });
  expect(accepted(town.author(admin, { kind: "leave" })).output.authority).toBe("member");
  expect(accepted(town.author(town.seat(0), { kind: "leave" })).output.authority).toBe("admin");
});

test("a member who was given another secret than the group has stops, and the others do not notice", () => {
  const town = settledTown(5, 4);
  const [admin, second, victim, fourth] = [town.seat(0), town.seat(1), town.seat(2), town.seat(3)];
  const other = new Secret(random(32));
  const usual = honest(town);
  const two = rotation(town, (userId, group, admins) => (userId === victim.userId ? [other] : usual(userId, group, admins)));
  const entry = sealedFor(town, admin, forgeEntry(town, admin, { operation: { kind: "rotate", rotation: two } }));
  const before = victim.bytes;
  expect(town.offer(victim, entry)).toEqual({ kind: "refused", code: "bad-key", next: "stop" });
  expect(victim.bytes).toBe(before);
  expect(town.offer(fourth, entry)).toMatchObject({ kind: "done" });
  expect(town.offer(second, entry)).toMatchObject({ kind: "done" });
  // The same for an admin whose second secret is another.
  const again = settledTown(5, 4);
  const three = rotation(again, (userId, group, admins) =>
    userId === again.seat(1).userId ? [group, other] : honest(again)(userId, group, admins),
  );
  const bad = sealedFor(again, again.seat(0), forgeEntry(again, again.seat(0), { operation: { kind: "rotate", rotation: three } }));
  expect(again.offer(again.seat(1), bad)).toEqual({ kind: "refused", code: "bad-key", next: "stop" });
});

test("wraps that were made for somebody else, another group or another epoch do not open", () => {
  const town = settledTown(6, 4);
  const good = rotation(town, honest(town));
  const [third, fourth] = [town.seat(2), town.seat(3)];
  const of = (userId: UserId): MemberWraps => found(good.members.find((member) => member.userId === userId));
  const members = good.members.map((member) =>
    member.userId === third.userId ? { ...member, devices: of(fourth.userId).devices } : member,
  );
  const offer = (changed: Rotation): unknown => {
    const operation = { kind: "rotate", rotation: changed } as const;
    return town.offer(third, sealedFor(town, town.seat(0), forgeEntry(town, town.seat(0), { operation })));
  };
  const before = third.bytes;
  expect(offer({ ...good, members })).toEqual({ kind: "refused", code: "bad-tag", next: "stop" });
  for (const purpose of [
    { kind: "rotation", groupId: town.groupId, epoch: 2 },
    { kind: "rotation", groupId: settledTown(7, 2).groupId, epoch: 1 },
    { kind: "promotion", groupId: town.groupId, epoch: 1 },
  ] as const) {
    const ephemeral = generateKeyPair(random);
    const wraps = wrapFor(third.owner.account, random(32), ephemeral, purpose);
    const moved = good.members.map((member) => (member.userId === third.userId ? wraps : member));
    expect(offer({ ...good, ephemeralKey: ephemeral.publicKey.encode(), members: moved })).toMatchObject({ code: "bad-tag", next: "stop" });
  }
  expect(offer({ ...good, ephemeralKey: generateKeyPair(random).publicKey.encode() })).toEqual({
    kind: "refused",
    code: "bad-tag",
    next: "stop",
  });
  expect(offer({ ...good, ephemeralKey: new Uint8Array(33) })).toEqual({ kind: "refused", code: "bad-key", next: "stop" });
  expect(third.bytes).toBe(before);
});

test("a rotation names exactly those who remain, with as many secrets as their role has, for at least one device", () => {
  const town = settledTown(8, 4);
  const reader = town.seat(2);
  const usual = honest(town);
  const good = rotation(town, usual);
  const before = reader.bytes;
  const refusal = (changed: Rotation): string => {
    const operation = { kind: "rotate", rotation: changed } as const;
    const outcome = town.offer(reader, sealedFor(town, town.seat(0), forgeEntry(town, town.seat(0), { operation })));
    expect(reader.bytes).toBe(before);
    return outcome.kind === "refused" ? `${outcome.code} ${outcome.next}` : "accepted";
  };
  const first = (change: (member: MemberWraps) => MemberWraps): Rotation => ({
    ...good,
    members: good.members.map((member, at) => (at === 0 ? change(member) : member)),
  });
  const { state } = reader.current;
  expect(refusal({ ...good, members: good.members.slice(1) })).toBe("bad-address skip");
  expect(refusal({ ...good, members: good.members.toReversed() })).toBe("bad-address skip");
  expect(refusal({ ...good, members: [...good.members, found(good.members[0])] })).toBe("bad-address skip");
  expect(refusal(first((member) => ({ ...member, devices: [] })))).toBe("missing-field skip");
  expect(refusal(first((member) => ({ ...member, devices: [...member.devices, ...member.devices] })))).toBe("not-canonical skip");
  expect(refusal(first((member) => ({ ...member, logLength: 4161 })))).toBe("over-limit skip");
  expect(refusal(rotation(town, (_, group) => [group]))).toBe("bad-length skip");
  expect(refusal(rotation(town, (_, group, admins) => [group, admins]))).toBe("bad-length skip");
  expect(refusal({ ...good, groupCommitment: state.groupCommitment })).toBe("duplicate skip");
  expect(refusal({ ...good, adminCommitment: state.adminCommitment })).toBe("duplicate skip");
  const removal = { kind: "remove", userIds: [town.seat(3).userId] } as const;
  const operation = { ...removal, rotation: good };
  expect(town.offer(reader, sealedFor(town, town.seat(0), forgeEntry(town, town.seat(0), { operation })))).toMatchObject({
    code: "bad-address",
  });
  expect(reader.bytes).toBe(before);
  const honestOne = forgeEntry(town, town.seat(0), { operation: { kind: "rotate", rotation: good } });
  expect(town.offer(reader, sealedFor(town, town.seat(0), honestOne)).kind).toBe("done");
});

test("who is promoted gets the admins' secret by the log, and stops when it is another", () => {
  const town = settledTown(9, 4);
  const [admin, promoted, reader] = [town.seat(0), town.seat(2), town.seat(3)];
  const { state } = admin.current;
  const ephemeral = generateKeyPair(random);
  const purpose = { kind: "promotion", groupId: town.groupId, epoch: state.epoch } as const;
  const member = wrapFor(promoted.owner.account, random(32), ephemeral, purpose);
  const operation = { kind: "promote", ephemeralKey: ephemeral.publicKey.encode(), member } as const;
  const bad = sealedFor(town, admin, forgeEntry(town, admin, { operation }));
  expect(town.offer(promoted, bad)).toEqual({ kind: "refused", code: "bad-key", next: "stop" });
  for (const [change, code] of [
    [{ ...member, devices: [] }, "missing-field"],
    [{ ...member, userId: town.seat(1).userId }, "duplicate"],
  ] as const) {
    const forged = forgeEntry(town, admin, { operation: { ...operation, member: change } });
    expect(town.offer(reader, sealedFor(town, admin, forged))).toEqual({ kind: "refused", code, next: "skip" });
  }
  town.act(admin, { kind: "promote", userId: promoted.userId });
  town.catchUpAll();
  expect(secretsIn(promoted.current)).toEqual(secretsIn(admin.current));
  town.act(promoted, { kind: "rename", title: "By a new admin" });
  town.catchUpAll();
  expect(reader.current.state.title).toBe("By a new admin");
});

test("spent are exactly the secrets that the new record no longer holds, and a refusal leaves none behind", () => {
  const town = settledTown(10, 4);
  const admin = town.seat(0);
  for (const intent of [{ kind: "rename", title: "x" }, { kind: "rotate" }, { kind: "rotate" }] as const) {
    const before = admin.current;
    const done = accepted(town.author(admin, intent));
    const kept = new Set(secretsOf(done.state).map(([, secret]) => secret));
    for (const [path, secret] of secretsOf(before)) expect([path, kept.has(secret) !== done.spent.includes(secret)]).toEqual([path, true]);
    town.log.push(done.output.ciphertext);
    for (const seat of town.seats.slice(1)) {
      const outcome = readGroupEntry(seat.current, { ...done.output, device: seat.asGroupDevice(), keyOf: town.keyOf });
      if (outcome.kind === "refused") throw new Error(outcome.code);
      const stays = new Set(secretsOf(outcome.state).map(([, secret]) => secret));
      for (const [path, secret] of secretsOf(seat.current)) {
        expect([path, stays.has(secret) !== outcome.spent.includes(secret)]).toEqual([path, true]);
      }
    }
    town.seat(0).record = done.state;
    admin.read = town.log.length;
    town.catchUpAll();
  }
});

test("no record prints a byte of its secrets, and what is stored is what is read back", () => {
  const town = settledTown(11, 3);
  for (const { current } of town.seats) {
    for (const [, secret] of secretsOf(current)) expect(traces(secret.expose(), JSON.stringify(current.secrets))).toBe(false);
    const bytes = encodeGroupRecord(current);
    expect(encodeGroupRecord(decodeGroupRecord(bytes))).toEqual(bytes);
    expect(() => decodeGroupRecord(bytes.slice(0, -1))).toThrow("truncated");
    expect(() => decodeGroupRecord(Uint8Array.from([...bytes, 0]))).toThrow("trailing");
    expect(() => decodeGroupRecord(bytes.map((byte, at) => (at === bytes.length - 1 ? byte ^ 1 : byte)))).toThrow("bad-key");
    expect(() => decodeGroupRecord(bytes.map((byte, at) => (at === 0 ? 9 : byte)))).toThrow("unknown-version");
  }
  const gone = { ...town.seat(0).current, secrets: undefined };
  expect(decodeGroupRecord(encodeGroupRecord(gone))).toEqual(gone);
});

test("the two keys of an epoch, its entries' and its invites' have nothing in common", () => {
  const town = settledTown(12, 2);
  const secrets = found(town.seat(0).current.secrets);
  const member = memberKeyPair(town.groupId, secrets);
  const admin = adminKeyPair(town.groupId, secrets);
  expect(member.publicKey.equals(admin.publicKey)).toBe(false);
  const swapped = { groupSecret: found(secrets.adminSecret), adminSecret: secrets.groupSecret };
  expect(memberKeyPair(town.groupId, swapped).publicKey.equals(admin.publicKey)).toBe(false);
  const other = settledTown(13, 2);
  expect(memberKeyPair(other.groupId, secrets).publicKey.equals(member.publicKey)).toBe(false);
  expect(() => adminKeyPair(town.groupId, { ...secrets, adminSecret: undefined })).toThrow("not-authorized");
});
