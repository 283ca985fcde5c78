// Writes entries of a group's log. Whatever is returned as an entry has been applied by the reader's own rules, so what one
// member writes all others accept. Knows no server: whether the place is still free, its compare-and-set says.

import { generateKeyPair, type PublicKey, type Random, type Secret } from "#crypto";
import {
  assertNever,
  type Bytes,
  concat,
  encodeGroupDetails,
  encodeGroupEntry,
  encodeGroupState,
  type GroupId,
  type GroupOperation,
  type GroupState,
  type LogHead,
  type MediaPointer,
  ProtocolError,
  type Rotation,
  serviceIdOfDevice,
  UsageError,
  type UserId,
} from "#wire";
import { type Attempt, attempt, type Outcome } from "../attempt.ts";
import { groupIdOf, parseEntry, sealGroupEntry, signStatement } from "./entry.ts";
import { makeInvite } from "./invite.ts";
import { adminKeyPair, commitmentsTo, type EpochSecrets, memberKeyPair, SECRET_BYTES } from "./keys.ts";
import { applyNext, requireNext } from "./log.ts";
import { type GroupRecord, secretsOfEpoch } from "./record.ts";
import { stateHashOf } from "./state.ts";
import { type GroupAccount, type GroupDevice, wrapFor } from "./wrap.ts";

/** An entry for the server. Commit the record that comes with it once the server has taken it; before that it is only a proposal. */
export interface AuthoredEntry {
  readonly groupId: GroupId;
  /** Its place; the server refuses it when that is taken. */
  readonly version: number;
  readonly ciphertext: Bytes;
  /** Of the state after it. Who is added has to be told this, the version and the group's secret. */
  readonly stateHash: Bytes;
  /** Whose key signs the append: `adminKeyPair` or `memberKeyPair` of the record *before* (of the new record, for the first entry). */
  readonly authority: "admin" | "member";
  /** The public keys in force after it, for the server; absent when they stay what they are. */
  readonly newKeys: { readonly memberKey: PublicKey; readonly adminKey: PublicKey } | undefined;
}

interface Author {
  readonly device: GroupDevice;
  /** The head of the author's account log, which has the device. */
  readonly head: LogHead;
  readonly nowSeconds: number;
}

export interface CreateGroupLog extends Author {
  readonly title: string;
}

/**
 * A new group with its creator alone. Commit the record before the entry is sent: the server cannot give the secrets back.
 * @throws UsageError `bad-argument` for a title that is none (`isGroupTitle`).
 */
export function createGroup({ title, ...author }: CreateGroupLog, random: Random): Outcome<GroupRecord, AuthoredEntry> {
  return attempt((attempt) => {
    const secrets = drawSecrets(attempt, random);
    const { groupCommitment, adminCommitment } = commitmentsTo(secrets.groupSecret, secrets.adminSecret);
    const operation: GroupOperation = { kind: "create", nonce: random(32), title, groupCommitment, adminCommitment };
    return write({ before: undefined, version: 1, operation, author, sealedUnder: secrets, secretsAfter: secrets }, random);
  });
}

/** What an author means to do; secrets, wraps and places are added here. */
export type GroupIntent =
  | { readonly kind: "add"; readonly members: readonly GroupAccount[]; readonly inviteId?: Bytes }
  | { readonly kind: "remove"; readonly userIds: readonly UserId[] }
  | { readonly kind: "leave" }
  | { readonly kind: "rename"; readonly title: string }
  | { readonly kind: "promote"; readonly userId: UserId }
  | { readonly kind: "demote"; readonly userId: UserId }
  | { readonly kind: "avatar"; readonly avatar: MediaPointer | undefined }
  /** Draws new secrets: after somebody has left (`state.rotationDue`), or when a member's devices have changed. */
  | { readonly kind: "rotate" }
  | { readonly kind: "invite"; readonly uses: number; readonly expiresSeconds: number; readonly approval: boolean }
  | { readonly kind: "withdraw"; readonly inviteId: Bytes };

export interface AuthorGroupEntry extends Author {
  /** The place after the last one that the server has, which may be further than `state.version + 1`. */
  readonly version: number;
  readonly intent: GroupIntent;
  /** The accounts of members, as their logs are now: asked for whoever gets secrets wrapped. Absent is a mistake of the caller's. */
  readonly accountOf: (userId: UserId) => GroupAccount | undefined;
}

/**
 * The entry that does it, and the record after it. When the server has another entry at the place, forget both (wipe the secrets
 * that only the new record has; `spent` are still in use), read that one, see whether the intent still makes sense, and author
 * again. Refuses as `applyGroupEntry`: in particular `not-authorized` (also on an admin's device that was not given the admins'
 * secret), and `expired` when an account log, the author's too, is older than one that an entry has shown.
 * @throws UsageError `bad-argument` when `accountOf` does not know a member, or for a title that is none.
 */
export function authorGroupEntry(record: GroupRecord, input: AuthorGroupEntry, random: Random): Outcome<GroupRecord, AuthoredEntry> {
  return attempt((attempt) => {
    const { state, secrets } = record;
    if (secrets === undefined) throw new ProtocolError("bad-state");
    // Whoever has no admin secret cannot append anything but a leaving: an admin's device that was linked too late has to ask another.
    if (input.intent.kind !== "leave" && secrets.adminSecret === undefined) throw new ProtocolError("not-authorized");
    const { operation, fresh } = operationFor(state, secrets, input, attempt, random);
    const secretsAfter = operation.kind === "leave" ? undefined : (fresh ?? secrets);
    const written = write({ before: state, version: input.version, operation, author: input, sealedUnder: secrets, secretsAfter }, random);
    if (secretsAfter !== secrets) attempt.spend(...secretsOfEpoch(secrets));
    return written;
  });
}

interface AdminSecrets extends EpochSecrets {
  readonly adminSecret: Secret;
}

function drawSecrets(attempt: Attempt, random: Random): AdminSecrets {
  return { groupSecret: attempt.make(random(SECRET_BYTES)), adminSecret: attempt.make(random(SECRET_BYTES)) };
}

interface Planned {
  readonly operation: GroupOperation;
  /** The secrets of the epoch that it begins. */
  readonly fresh?: AdminSecrets;
}

function operationFor(
  state: GroupState,
  secrets: EpochSecrets,
  { intent, accountOf }: AuthorGroupEntry,
  attempt: Attempt,
  random: Random,
): Planned {
  const everyone = state.members.map(({ userId }) => userId);
  const admins = state.members.filter(({ role }) => role === "admin").map(({ userId }) => userId);
  const rotate = (members: readonly UserId[], admins: readonly UserId[]): { readonly rotation: Rotation; readonly fresh: AdminSecrets } =>
    rotationFor({ state, members, admins, accountOf }, attempt, random);
  switch (intent.kind) {
    case "add": {
      const members = intent.members.map(({ userId, head }) => ({ userId, logLength: head.length }));
      members.sort((a, b) => (a.userId < b.userId ? -1 : 1));
      return { operation: { kind: "add", members, inviteId: intent.inviteId } };
    }
    case "remove": {
      const userIds = intent.userIds.toSorted();
      const stays = (userId: UserId): boolean => !userIds.includes(userId);
      const { rotation, fresh } = rotate(everyone.filter(stays), admins.filter(stays));
      return { operation: { kind: "remove", userIds, rotation }, fresh };
    }
    case "promote":
      return { operation: promotionFor(state, secrets, requireAccount(accountOf, intent.userId), random) };
    case "demote": {
      const remaining = admins.filter((userId) => userId !== intent.userId);
      const { rotation, fresh } = rotate(everyone, remaining);
      return { operation: { kind: "demote", userId: intent.userId, rotation }, fresh };
    }
    case "rotate": {
      const { rotation, fresh } = rotate(everyone, admins);
      return { operation: { kind: "rotate", rotation }, fresh };
    }
    case "invite":
      return { operation: makeInvite(state.groupId, secrets, intent, random) };
    case "leave":
    case "rename":
    case "avatar":
    case "withdraw":
      return { operation: intent };
    default:
      return assertNever(intent);
  }
}

interface RotationPlan {
  readonly state: GroupState;
  readonly members: readonly UserId[];
  readonly admins: readonly UserId[];
  readonly accountOf: AuthorGroupEntry["accountOf"];
}

function rotationFor(
  { state, members, admins, accountOf }: RotationPlan,
  attempt: Attempt,
  random: Random,
): { readonly rotation: Rotation; readonly fresh: AdminSecrets } {
  const fresh = drawSecrets(attempt, random);
  const ephemeral = generateKeyPair(random);
  const forMembers = fresh.groupSecret.expose();
  const forAdmins = concat(forMembers, fresh.adminSecret.expose());
  const purpose = { kind: "rotation", groupId: state.groupId, epoch: state.epoch + 1 } as const;
  const wraps = members.map((userId) =>
    wrapFor(requireAccount(accountOf, userId), admins.includes(userId) ? forAdmins : forMembers, ephemeral, purpose),
  );
  ephemeral.privateKey.wipe();
  forAdmins.fill(0);
  const commitments = commitmentsTo(fresh.groupSecret, fresh.adminSecret);
  return { rotation: { ...commitments, ephemeralKey: ephemeral.publicKey.encode(), members: wraps }, fresh };
}

function promotionFor(
  { groupId, epoch }: GroupState,
  { adminSecret }: EpochSecrets,
  account: GroupAccount,
  random: Random,
): GroupOperation {
  if (adminSecret === undefined) throw new ProtocolError("not-authorized");
  const ephemeral = generateKeyPair(random);
  const member = wrapFor(account, adminSecret.expose(), ephemeral, { kind: "promotion", groupId, epoch });
  ephemeral.privateKey.wipe();
  return { kind: "promote", ephemeralKey: ephemeral.publicKey.encode(), member };
}

function requireAccount(accountOf: AuthorGroupEntry["accountOf"], userId: UserId): GroupAccount {
  const account = accountOf(userId);
  if (account === undefined) throw new UsageError("bad-argument", "the account of a member is not known");
  return account;
}

interface Writing {
  readonly before: GroupState | undefined;
  readonly version: number;
  readonly operation: GroupOperation;
  readonly author: Author;
  /** The secrets that open the log up to and including this entry. */
  readonly sealedUnder: EpochSecrets;
  readonly secretsAfter: EpochSecrets | undefined;
}

/** Signs, applies what was signed, adds the snapshot where somebody begins with it, and seals. */
function write(
  { before, version, operation, author, sealedUnder, secretsAfter }: Writing,
  random: Random,
): {
  readonly state: GroupRecord;
  readonly output: AuthoredEntry;
} {
  const { address, identity } = author.device;
  const signed = signStatement(
    {
      groupId: before?.groupId,
      version,
      previousHead: before?.head,
      createdSeconds: author.nowSeconds,
      signer: serviceIdOfDevice(address),
      signerHead: author.head,
      ...encodeGroupDetails(operation),
    },
    identity.privateKey,
    random,
  );
  const groupId = before?.groupId ?? groupIdOf(signed.statement, signed.signature);
  const bare = parseEntry(encodeGroupEntry({ ...signed, snapshot: undefined }));
  requireNext(before, bare, groupId, version);
  const { state } = applyNext(before, bare, identity.publicKey, groupId);
  const joined = operation.kind === "create" || operation.kind === "add";
  const entry = encodeGroupEntry({ ...signed, snapshot: joined ? encodeGroupState(state) : undefined });
  const begins = before === undefined || before.epoch !== state.epoch;
  const output: AuthoredEntry = {
    groupId,
    version,
    ciphertext: sealGroupEntry(entry, { groupId, version }, sealedUnder.groupSecret, random),
    stateHash: stateHashOf(state),
    authority: sealedUnder.adminSecret === undefined ? "member" : "admin",
    newKeys: begins && secretsAfter !== undefined ? publicKeys(groupId, secretsAfter) : undefined,
  };
  return { state: { state, secrets: secretsAfter }, output };
}

function publicKeys(groupId: GroupId, secrets: EpochSecrets): { readonly memberKey: PublicKey; readonly adminKey: PublicKey } {
  const member = memberKeyPair(groupId, secrets);
  const admin = adminKeyPair(groupId, secrets);
  member.seed.wipe();
  admin.seed.wipe();
  return { memberKey: member.publicKey, adminKey: admin.publicKey };
}
