// The formats of group logs: one encoding each, titles that stay on their line, and room for the largest honest value.

import {
  type Bytes,
  decodeGroupDetails,
  decodeGroupEntry,
  decodeGroupStatement,
  EMPTY,
  encodeGroupDetails,
  encodeGroupEntry,
  encodeGroupState,
  encodeGroupStatement,
  GROUP_TYPES,
  type GroupOperation,
  type GroupState,
  isGroupTitle,
  MAX_GROUP_ENTRY_BYTES,
  MAX_GROUP_INVITES,
  MAX_GROUP_MEMBERS,
  MAX_GROUP_STATE_BYTES,
  MAX_GROUP_STATEMENT_BYTES,
  MAX_GROUP_TITLE_CHARACTERS,
  type MediaPointer,
  message,
  parseDeviceId,
  parseGroupId,
  parseMediaId,
  required,
  type Rotation,
  serviceIdOfDevice,
  strictCodec,
  text,
  toHex,
  userIdFromDigest,
} from "#wire";
import { describe, expect, test } from "vitest";
import { found } from "../support/accounts.ts";
import { codeOf, verdictOf } from "../support/codes.ts";
import { mutate } from "../support/mutate.ts";
import { seededDice, seededRandom } from "../support/random.ts";

const random = seededRandom(1);
const userIds = Array.from({ length: MAX_GROUP_MEMBERS }, () => userIdFromDigest(random(32)));
const userId = found(userIds[0]);

const avatar: MediaPointer = {
  mediaId: parseMediaId(toHex(random(32))),
  accessSecret: random(32),
  key: random(32),
  digest: random(32),
  size: Number.MAX_SAFE_INTEGER,
  mime: "m".repeat(127),
  name: "n".repeat(255),
  width: 0xffff_ffff,
  height: 0xffff_ffff,
  thumbhash: random(64),
  contentDigest: random(32),
};
const invite: GroupOperation & { kind: "invite" } = {
  kind: "invite",
  inviteId: random(16),
  sealedSecret: random(56),
  uses: 100,
  expiresSeconds: Number.MAX_SAFE_INTEGER,
  approval: true,
};

/** For so many members with six devices each, all admins. */
function largest(members: number): Rotation {
  const devices = [1, 2, 3, 4, 5, 6].map((id) => ({ deviceId: parseDeviceId(id), wrapped: random(80) }));
  return {
    groupCommitment: random(32),
    adminCommitment: random(32),
    ephemeralKey: random(33),
    members: userIds.slice(0, members).map((userId) => ({ userId, logLength: 4160, devices })),
  };
}

const OPERATIONS: readonly GroupOperation[] = [
  { kind: "create", nonce: random(32), title: "A", groupCommitment: random(32), adminCommitment: random(32) },
  { kind: "add", members: [{ userId, logLength: 3 }], inviteId: undefined },
  { kind: "add", members: userIds.map((userId) => ({ userId, logLength: 1 })), inviteId: random(16) },
  { kind: "remove", userIds: [userId], rotation: largest(2) },
  { kind: "leave" },
  { kind: "rename", title: "Über uns 👩‍👩‍👧" },
  { kind: "promote", ephemeralKey: random(33), member: found(largest(1).members[0]) },
  { kind: "demote", userId, rotation: largest(1) },
  { kind: "avatar", avatar },
  { kind: "avatar", avatar: undefined },
  { kind: "rotate", rotation: largest(1) },
  invite,
  { kind: "withdraw", inviteId: random(16) },
];

describe.each(OPERATIONS)("$kind", (operation) => {
  const encoded = encodeGroupDetails(operation);

  test("has one encoding: whatever is read is written the same", () => {
    expect(encoded.type).toBe(GROUP_TYPES[operation.kind]);
    expect(decodeGroupDetails(encoded)).toEqual(operation);
    const dice = seededDice(1);
    for (let i = 0; i < 300; i++) {
      const details = mutate(encoded.details, dice);
      const verdict = verdictOf(() => encodeGroupDetails(decodeGroupDetails({ type: encoded.type, details })).details);
      if (verdict.kind === "accepted") expect(verdict.value).toEqual(details);
    }
  });

  test("a field that only a newer version knows is told apart from nonsense, but to leave has no room for one", () => {
    const details = Uint8Array.from([...encoded.details, 0x78, 1]);
    expect(codeOf(() => decodeGroupDetails({ type: encoded.type, details }))).toBe(
      operation.kind === "leave" ? "too-long" : "unknown-critical",
    );
  });
});

test("every type has a sample above, and a type that is not there is newer", () => {
  expect(new Set(OPERATIONS.map(({ kind }) => kind))).toEqual(new Set(Object.keys(GROUP_TYPES)));
  expect(codeOf(() => decodeGroupDetails({ type: 12, details: EMPTY }))).toBe("unknown-critical");
});

const statement = {
  groupId: parseGroupId(toHex(random(32))),
  version: 2,
  previousHead: random(32),
  createdSeconds: 1_790_000_000,
  signer: serviceIdOfDevice({ userId, deviceId: parseDeviceId(1) }),
  signerHead: { length: 1, hash: random(32) },
  ...encodeGroupDetails({ kind: "leave" }),
};

test("a first statement has neither group nor predecessor, and every other one has both", () => {
  expect(decodeGroupStatement(encodeGroupStatement(statement))).toEqual(statement);
  const first = { ...statement, version: 1, groupId: undefined, previousHead: undefined };
  expect(decodeGroupStatement(encodeGroupStatement(first))).toEqual(first);
  for (const wrong of [
    { ...first, version: 2 },
    { ...statement, version: 1 },
    { ...statement, groupId: undefined },
    { ...statement, previousHead: undefined },
    { ...first, groupId: statement.groupId },
    { ...first, previousHead: statement.previousHead },
  ]) {
    expect(codeOf(() => decodeGroupStatement(encodeGroupStatement(wrong)))).toBe("bad-value");
  }
});

test("an entry takes no extension: nothing would sign it", () => {
  const entry = encodeGroupEntry({ statement: encodeGroupStatement(statement), signature: random(64), snapshot: undefined });
  expect(decodeGroupEntry(entry).snapshot).toBeUndefined();
  expect(codeOf(() => decodeGroupEntry(Uint8Array.from([...entry, 0x82, 0x08, 1, 0])))).toBe("unknown-critical");
});

/** As RENAME_GROUP, without the rule about titles: what somebody else's program may send. */
const anyRename = strictCodec(message<{ title: string }>("edgewise.RenameGroup", { title: required(1, text(1000)) }), 2000);

test.each([
  ["a", true],
  ["Crème brûlée", true],
  ["משפחה", true],
  ["👩‍👩‍👧".repeat(20), true],
  ["x".repeat(MAX_GROUP_TITLE_CHARACTERS), true],
  ["😀".repeat(MAX_GROUP_TITLE_CHARACTERS), true],
  ["", false],
  ["x".repeat(MAX_GROUP_TITLE_CHARACTERS + 1), false],
  ["😀".repeat(MAX_GROUP_TITLE_CHARACTERS + 1), false],
  ["two\nlines", false],
  ["nul\u0000", false],
  ["\u001b[31mred", false],
  ["del\u007f", false],
  ["c1\u0085", false],
  ["line\u2028", false],
  ["paragraph\u2029", false],
  ["evil\u202egnp.exe", false],
  ["isolate\u2066", false],
  ["half \ud83d", false],
])("title %j: %s", (title, good) => {
  expect(isGroupTitle(title)).toBe(good);
  const wrong = { kind: "rename", title } as const;
  if (good) expect(decodeGroupDetails(encodeGroupDetails(wrong))).toEqual(wrong);
  else {
    expect(() => encodeGroupDetails(wrong)).toThrow("bad-argument");
    if (!title.isWellFormed() || title === "") return;
    const details = anyRename.encode({ title });
    expect(["bad-value", "too-long"]).toContain(codeOf(() => decodeGroupDetails({ type: GROUP_TYPES.rename, details })));
  }
});

const state: GroupState = {
  groupId: statement.groupId,
  version: 4096,
  head: random(32),
  epoch: 4095,
  title: "😀".repeat(MAX_GROUP_TITLE_CHARACTERS),
  avatar,
  members: userIds.map((userId) => ({ userId, role: "admin", logLength: 0xffff_ffff })),
  groupCommitment: random(32),
  adminCommitment: random(32),
  invites: Array.from({ length: MAX_GROUP_INVITES }, () => invite),
  rotationDue: true,
};

test("the largest honest entry fits: a rotation for 100 admins with six devices each, and the state after it", () => {
  const rotate = encodeGroupDetails({ kind: "remove", userIds, rotation: largest(100) });
  const signed = encodeGroupStatement({ ...statement, ...rotate });
  const snapshot = encodeGroupState(state);
  expect(signed.length).toBeGreaterThan(50_000);
  const entry = encodeGroupEntry({ statement: signed, signature: random(64), snapshot });
  expect(entry.length).toBeLessThan(MAX_GROUP_ENTRY_BYTES);
});

test("whatever may be added to an avatar or an invite, the state stays within its bound", () => {
  const extension = (bytes: number): Bytes => Uint8Array.from([0x82, 0x08, bytes & 0x7f, ...new Uint8Array(bytes)]);
  // The state keeps both as they were signed: what a dishonest admin puts into them must not make readers fail.
  const fullInvite = { ...invite, extensions: [extension(30)] };
  expect(encodeGroupDetails(fullInvite).details.length).toBeGreaterThan(120);
  const large = { ...fullInvite, extensions: [extension(120)] };
  expect(() => encodeGroupDetails(large)).toThrow("bad-argument");
  const fullAvatar = { ...avatar, extensions: [extension(100), extension(100), extension(100)] };
  expect(() => encodeGroupDetails({ kind: "avatar", avatar: { ...fullAvatar, extensions: Array(16).fill(extension(100)) } })).toThrow(
    "bad-argument",
  );
  const largestState = { ...state, avatar: fullAvatar, invites: Array.from({ length: MAX_GROUP_INVITES }, () => fullInvite) };
  encodeGroupDetails({ kind: "avatar", avatar: fullAvatar });
  expect(encodeGroupState(largestState).length).toBeLessThan(MAX_GROUP_STATE_BYTES - 1024);
});

test("one more than there may be is refused", () => {
  const rotation = largest(1);
  const [member] = rotation.members;
  const many = Array.from({ length: MAX_GROUP_MEMBERS + 1 }, () => found(member));
  expect(() => encodeGroupDetails({ kind: "rotate", rotation: { ...rotation, members: many } })).toThrow("too-many");
  const devices = Array.from({ length: 7 }, () => found(found(member).devices[0]));
  expect(() => encodeGroupDetails({ kind: "rotate", rotation: { ...rotation, members: [{ ...found(member), devices }] } })).toThrow(
    "too-many",
  );
  expect(() => encodeGroupState({ ...state, members: [...state.members, found(state.members[0])] })).toThrow("too-many");
  expect(() => encodeGroupState({ ...state, invites: [...state.invites, invite] })).toThrow("too-many");
  expect(() => encodeGroupStatement({ ...statement, details: random(MAX_GROUP_STATEMENT_BYTES) })).toThrow("too-long");
});
