// Invites: a 128-bit secret that a link carries, what follows from it, and the request of whoever has it. The log holds the secret
// sealed for the admins, so each of them can show the link and check a request, and members who are no admins cannot make one.
// Knows no links as text, and no clock: time is an argument.

import { equal, hkdf, hmac, LABELS, labelled, type Random, Secret, xchachaOpen, xchachaSeal } from "#crypto";
import {
  type Bytes,
  concat,
  decodeJoinRequest,
  EMPTY,
  encodeJoinRequest,
  fromHex,
  type GroupId,
  type GroupInvite,
  INVITE_ID_BYTES,
  type JoinRequest,
  ProtocolError,
  sameBytes,
  type UserId,
  uuidToBytes,
} from "#wire";
import { attempt, type Outcome } from "../attempt.ts";
import { type EpochSecrets, inviteSealKey } from "./keys.ts";
import type { GroupRecord } from "./record.ts";
import { groupMember } from "./state.ts";

export const INVITE_SECRET_BYTES = 16;

/** The operation that makes an invite. @throws ProtocolError `not-authorized` without the admins' secret. */
export function makeInvite(
  groupId: GroupId,
  secrets: EpochSecrets,
  terms: Pick<GroupInvite, "uses" | "expiresSeconds" | "approval">,
  random: Random,
): GroupInvite {
  const secret = new Secret(random(INVITE_SECRET_BYTES));
  const inviteId = inviteIdOf(secret);
  const key = inviteSealKey(groupId, requireAdmin(secrets));
  const sealedSecret = xchachaSeal(key, secret.expose(), associated(groupId, inviteId), random);
  key.fill(0);
  secret.wipe();
  const { uses, expiresSeconds, approval } = terms;
  return { kind: "invite", inviteId, sealedSecret, uses, expiresSeconds, approval };
}

/**
 * The secret of an invite, for the link; the caller owns it.
 * Refuses: `not-authorized` for who is no admin, `bad-address` no such invite, `bad-tag`, `bad-key` one that its maker did not mean to work.
 */
export function openInvite(record: GroupRecord, inviteId: Bytes): Outcome<GroupRecord, Secret> {
  return attempt((attempt) => {
    const { groupId, invites } = record.state;
    const invite = invites.find((other) => sameBytes(other.inviteId, inviteId));
    if (invite === undefined) throw new ProtocolError("bad-address");
    const key = inviteSealKey(groupId, requireAdmin(record.secrets));
    try {
      const secret = attempt.make(xchachaOpen(key, invite.sealedSecret, associated(groupId, inviteId)));
      if (!sameBytes(inviteIdOf(secret), inviteId)) throw new ProtocolError("bad-key");
      return { state: record, output: secret };
    } finally {
      key.fill(0);
    }
  });
}

/** The id of the invite with this secret. */
export function inviteIdOf(secret: Secret): Bytes {
  return hkdf({ salt: EMPTY, inputKey: secret.expose(), info: LABELS.GROUP_INVITE_ID, length: INVITE_ID_BYTES });
}

/** What whoever has a link sends to an admin, through a session: an encoded JoinRequest. */
export function askToJoin(groupId: GroupId, secret: Secret, userId: UserId): Bytes {
  const inviteId = inviteIdOf(secret);
  return encodeJoinRequest({ groupId, inviteId, userId, proof: proofOf({ groupId, inviteId, userId }, secret) });
}

/** A request that may be granted: by `add` with its invite, at once or after a person has agreed. */
export interface CheckedJoinRequest {
  readonly userId: UserId;
  readonly inviteId: Bytes;
  readonly approval: boolean;
}

export interface CheckJoinRequest {
  readonly request: Bytes;
  /** Whose session it came through: nobody asks for somebody else. */
  readonly sender: UserId;
  readonly nowSeconds: number;
}

/**
 * Whether a request holds, for an admin. Refuses: `bad-address` another group's or sender's, or an invite that is not there (any more) ·
 * `not-authorized` for who is no admin · `duplicate` a member asks · `bad-signature` without the secret · `expired` · every WireCode.
 */
export function checkJoinRequest(
  record: GroupRecord,
  { request, sender, nowSeconds }: CheckJoinRequest,
): Outcome<GroupRecord, CheckedJoinRequest> {
  const invited = attempt(() => ({ state: record, output: decodeJoinRequest(request) }));
  if (invited.kind === "refused") return invited;
  const asked = invited.output;
  const { userId, inviteId } = asked;
  const opened = openInvite(record, inviteId);
  if (opened.kind === "refused") return opened;
  const secret = opened.output;
  const checked = attempt((): { readonly state: GroupRecord; readonly output: CheckedJoinRequest } => {
    const invite = record.state.invites.find((other) => sameBytes(other.inviteId, inviteId));
    if (invite === undefined || asked.groupId !== record.state.groupId || userId !== sender) throw new ProtocolError("bad-address");
    if (!equal(asked.proof, proofOf(asked, secret))) throw new ProtocolError("bad-signature");
    if (nowSeconds >= invite.expiresSeconds) throw new ProtocolError("expired");
    if (groupMember(record.state, userId) !== undefined) throw new ProtocolError("duplicate");
    return { state: record, output: { userId, inviteId, approval: invite.approval } };
  });
  secret.wipe();
  return checked;
}

function proofOf({ groupId, inviteId, userId }: Omit<JoinRequest, "proof">, secret: Secret): Bytes {
  const key = hkdf({ salt: EMPTY, inputKey: secret.expose(), info: LABELS.GROUP_INVITE_KEY, length: 32 });
  const proof = hmac(key, labelled(LABELS.GROUP_JOIN_REQUEST, fromHex(groupId), inviteId, uuidToBytes(userId)));
  key.fill(0);
  return proof;
}

function associated(groupId: GroupId, inviteId: Bytes): Bytes {
  return concat(fromHex(groupId), inviteId);
}

function requireAdmin(secrets: EpochSecrets | undefined): Secret {
  if (secrets?.adminSecret === undefined) throw new ProtocolError("not-authorized");
  return secrets.adminSecret;
}
