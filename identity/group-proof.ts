// How a member proves to the server of a group that they are one, without saying who. Each proof names the public key that
// made it, so that it is checked before anything of the group is looked at; whether the key is one of the group's is for
// the group's object. The members share both key pairs: a member's says "one of us", an admin's says "one of the admins".

import {
  ENCODED_PUBLIC_KEY_BYTES,
  LABELS,
  labelled,
  parseIdentityKey,
  type PublicKey,
  sha256,
  SIGNATURE_BYTES,
  type SigningKeyPair,
  signWithSeed,
  verify,
} from "#crypto";
import { be32, type Bytes, concat, copy, EMPTY, fromHex, type GroupAppend, type GroupId, ProtocolError, WireError } from "#wire";
import { requireFresh } from "./freshness.ts";
import { originField } from "./origin.ts";

/** A group at a server. */
export interface GroupAt {
  /** Scheme, host and port as a browser writes them: `https://chat.example.org`. */
  readonly origin: string;
  readonly groupId: GroupId;
}

export type UnsignedGroupAppend = Pick<GroupAppend, "version" | "entry" | "authority">;

/** @param keys the pair in force for the authority; for version 1 the admin pair that the append names */
export function signGroupAppend(at: GroupAt, append: UnsignedGroupAppend, keys: SigningKeyPair): GroupAppend {
  const signature = signWithSeed(keys.seed, appendStatement(at, append));
  return { ...append, signer: keys.publicKey.encode(), signature };
}

/**
 * Whether the append is what its signer says. The beginning of a group is signed by the admin key that it brings.
 * @throws ProtocolError `bad-key`, also for one key in two roles, `not-authorized` a beginning that is none, `bad-signature`.
 */
export function checkGroupAppend(at: GroupAt, append: GroupAppend): void {
  const signer = parseIdentityKey(append.signer);
  const keys = append.authority.kind === "admin" ? append.authority.keys : undefined;
  const adminKey = keys === undefined ? undefined : adminKeyOf(keys);
  if (append.version === 1 && adminKey?.equals(signer) !== true) throw new ProtocolError("not-authorized");
  if (!verify(signer, appendStatement(at, append), append.signature)) throw new ProtocolError("bad-signature");
}

/** The time, the key and the signature: good for ten minutes, for reading this group at this server. */
export const GROUP_READ_PROOF_BYTES: number = 4 + ENCODED_PUBLIC_KEY_BYTES + SIGNATURE_BYTES;

/** @param keys a member pair: of a retired one, it reads up to the entry that retired it */
export function proveGroupRead(at: GroupAt, keys: SigningKeyPair, nowSeconds: number): Bytes {
  return concat(be32(nowSeconds), keys.publicKey.encode(), signWithSeed(keys.seed, readStatement(at, nowSeconds)));
}

/**
 * The key that asks.
 * @throws WireError `bad-length`; ProtocolError `expired`, `too-far-ahead`, `bad-key`, `bad-signature`.
 */
export function checkGroupRead(at: GroupAt, proof: Bytes, nowSeconds: number): PublicKey {
  if (proof.length !== GROUP_READ_PROOF_BYTES) throw new WireError("bad-length");
  const { buffer, byteOffset } = proof;
  const madeSeconds = new DataView(buffer, byteOffset).getUint32(0);
  requireFresh(madeSeconds, nowSeconds);
  const key = parseIdentityKey(proof.subarray(4, 4 + ENCODED_PUBLIC_KEY_BYTES));
  const signature = copy(proof.subarray(4 + ENCODED_PUBLIC_KEY_BYTES));
  if (!verify(key, readStatement(at, madeSeconds), signature)) throw new ProtocolError("bad-signature");
  return key;
}

function adminKeyOf({ memberKey, adminKey }: { readonly memberKey: Bytes; readonly adminKey: Bytes }): PublicKey {
  const admin = parseIdentityKey(adminKey);
  // Every member has the member key: as the admin key it would make them all admins.
  if (parseIdentityKey(memberKey).equals(admin)) throw new ProtocolError("bad-key");
  return admin;
}

const AUTHORITY: Readonly<Record<GroupAppend["authority"]["kind"], number>> = { admin: 1, member: 2 };

function appendStatement({ origin, groupId }: GroupAt, { version, entry, authority }: UnsignedGroupAppend): Bytes {
  const keys = authority.kind === "admin" ? authority.keys : undefined;
  return labelled(
    LABELS.SIGN_GROUP_APPEND,
    originField(origin),
    fromHex(groupId),
    be32(version),
    sha256(entry),
    new Uint8Array([AUTHORITY[authority.kind]]),
    keys?.memberKey ?? EMPTY,
    keys?.adminKey ?? EMPTY,
  );
}

function readStatement({ origin, groupId }: GroupAt, madeSeconds: number): Bytes {
  return labelled(LABELS.SIGN_GROUP_READ, originField(origin), fromHex(groupId), be32(madeSeconds));
}
