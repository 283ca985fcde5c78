// An account as the databases hold it, written the way that a mailbox writes it.

import { sha256 } from "#crypto";
import { AccountStore, databaseOf } from "#durable-objects";
import { createPreKeySet, type OwnDevice } from "#identity";
import { type Bytes, decodePreKeyRecord, type DeviceId, EMPTY, type PreKeyUpload, uuidToBytes } from "#wire";
import type { KeysEnv } from "../../../workers/keys/index.ts";
import type { Owner } from "../../support/accounts.ts";
import { kemKey, oneTimeKeys, preKeyInput } from "../../support/prekeys.ts";

export interface UploadSize {
  /** Ids of the one-time EC keys. */
  readonly ec: readonly number[];
  readonly kem: readonly number[];
}

export function range(first: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => first + i);
}

export function uploadOf(owner: Owner, device: OwnDevice, { ec, kem }: UploadSize): PreKeyUpload {
  const input = preKeyInput(owner.userId, device, owner.random);
  const oneTime = kem.map((id) => kemKey(id, owner.random));
  const set = createPreKeySet({ ...input, oneTime, nowSeconds: owner.now }, owner.random);
  return { set, oneTimePreKeys: oneTimeKeys(ec, owner.random) };
}

/** Appends the owner's whole log, the last entry with the upload. */
export async function store(env: KeysEnv, owner: Owner, deviceId: DeviceId, upload: PreKeyUpload): Promise<void> {
  const accounts = new AccountStore(databaseOf(env.databases, env.names.slot(uuidToBytes(owner.userId))), owner.userId);
  let previousHash: Bytes = EMPTY;
  for (const [at, entry] of owner.entries.entries()) {
    const hash = sha256(entry);
    const record = upload.set === undefined ? undefined : decodePreKeyRecord(upload.set.record.record);
    const preKeys = record === undefined || at !== owner.entries.length - 1 ? undefined : { deviceId, upload, record };
    const changes = { preKeys, removed: [], recovery: undefined, endsAccount: false };
    await accounts.append({ sequence: at + 1, entry, hash, previousHash }, changes);
    previousHash = hash;
  }
}
