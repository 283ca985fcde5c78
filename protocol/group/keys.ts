// The secrets of an epoch and the keys that follow from them. Every member has the group's secret, every admin the admins'
// as well. The server knows the two public keys and nothing else: it can tell a member from a stranger, and no two members apart.

import { equal, generateSigningKeyPair, hkdf, LABELS, labelled, type Random, type Secret, sha256, type SigningKeyPair } from "#crypto";
import { be32, type Bytes, EMPTY, fromHex, type GroupId, ProtocolError } from "#wire";

export const SECRET_BYTES = 32;

export interface EpochSecrets {
  readonly groupSecret: Secret;
  /** Absent for who is no admin. */
  readonly adminSecret: Secret | undefined;
}

/** The secrets of an epoch as an admin has them, and as the log commits to them. */
export interface Commitments {
  readonly groupCommitment: Bytes;
  readonly adminCommitment: Bytes;
}

export function commitmentsTo(groupSecret: Secret, adminSecret: Secret): Commitments {
  return { groupCommitment: commitmentToGroup(groupSecret), adminCommitment: commitmentToAdmins(adminSecret) };
}

/** Checks the secrets that are there. @throws ProtocolError `bad-key` for any but those that the log commits to. */
export function requireCommitted({ groupSecret, adminSecret }: EpochSecrets, commitments: Commitments): void {
  const fits =
    equal(commitmentToGroup(groupSecret), commitments.groupCommitment) &&
    (adminSecret === undefined || equal(commitmentToAdmins(adminSecret), commitments.adminCommitment));
  if (!fits) throw new ProtocolError("bad-key");
}

function commitmentToGroup(secret: Secret): Bytes {
  return sha256(labelled(LABELS.GROUP_SECRET_COMMITMENT, secret.expose()));
}

function commitmentToAdmins(secret: Secret): Bytes {
  return sha256(labelled(LABELS.GROUP_ADMIN_COMMITMENT, secret.expose()));
}

/** What the entries of the epoch are encrypted under. The caller overwrites it. */
export function entryKey(groupId: GroupId, groupSecret: Secret): Bytes {
  return derive(groupSecret, LABELS.GROUP_ENTRY_KEY, fromHex(groupId));
}

/** What an invite's secret is kept under, for the admins. The caller overwrites it. */
export function inviteSealKey(groupId: GroupId, adminSecret: Secret): Bytes {
  return derive(adminSecret, LABELS.GROUP_INVITE_SEAL, fromHex(groupId));
}

/** The pair by which a member shows the server that it may read the log, and appends its own leaving. Wipe its seed after use. */
export function memberKeyPair(groupId: GroupId, { groupSecret }: EpochSecrets): SigningKeyPair {
  return signingPair(groupSecret, LABELS.GROUP_MEMBER_SEED, groupId);
}

/** The pair by which an admin appends. Wipe its seed after use. @throws ProtocolError `not-authorized` without the admins' secret. */
export function adminKeyPair(groupId: GroupId, { adminSecret }: EpochSecrets): SigningKeyPair {
  if (adminSecret === undefined) throw new ProtocolError("not-authorized");
  return signingPair(adminSecret, LABELS.GROUP_ADMIN_SEED, groupId);
}

/** Half of all seeds make a pair that signs (docs/decisions/0003): the first that does, in an order that all agree on. */
function signingPair(secret: Secret, label: Bytes, groupId: GroupId): SigningKeyPair {
  let tried = 0;
  const next: Random = () => derive(secret, label, fromHex(groupId), be32(tried++));
  return generateSigningKeyPair(next);
}

function derive(secret: Secret, label: Bytes, ...context: readonly Bytes[]): Bytes {
  return hkdf({ salt: EMPTY, inputKey: secret.expose(), info: labelled(label, ...context), length: SECRET_BYTES });
}
