// Our own prekeys: made, kept until they were used or are too old, uploaded, renewed. The private half is stored before the
// public half leaves, so that whoever got a key finds us with the other.

import { generateKeyPair, generateKyberKeyPair, type KeyPair, type KyberKeyPair, kyberKeyPairFromSeed, Secret } from "#crypto";
import { createPreKeySet, type NewKemPreKey } from "#identity";
import type { LoadedPreKeys, PreKeyUse } from "#protocol";
import {
  MAX_ONE_TIME_EC_PREKEYS,
  MAX_ONE_TIME_KEM_PREKEYS,
  type OneTimePreKey,
  type PreKeyUpload,
  PREKEYS_LOW,
  SIGNED_PREKEY_GRACE_SECONDS,
  SIGNED_PREKEY_ROTATION_SECONDS,
  toHex,
} from "#wire";
import { type Core, next, pairOf, seconds, type Self } from "./core.ts";
import { EC_KEYS, type EcKey, KEM_KEYS, type KemKey, KEY_USES, SIGNED_KEYS } from "./records/tables.ts";
import type { Writer } from "./records/vault.ts";
import type { KeyCounts } from "./server-api.ts";

/** That keys are low, a server may say as often as it likes; it gets some this often. */
const ONCE_PER_MILLISECONDS = 3600_000;
/** Private halves that nobody has come for yet. Of more, the oldest go. */
const MAX_KEPT_ONE_TIME = 10 * MAX_ONE_TIME_EC_PREKEYS;

/** As many one-time keys as a server takes. */
const ALL: KeyCounts = { ec: MAX_ONE_TIME_EC_PREKEYS, kem: MAX_ONE_TIME_KEM_PREKEYS };
/** What fits where there is little room: signed keys and the last resort, which is what a device can be written to with. */
export const NO_ONE_TIME_KEYS: KeyCounts = { ec: 0, kem: 0 };

/** A whole upload: signed keys, and one-time keys beside them. */
export async function makePreKeys(core: Core, records: Writer, self: Self, counts: KeyCounts = ALL): Promise<PreKeyUpload> {
  const now = core.clock.nowMilliseconds();
  await replaceOld(records, now);
  const signed = generateKeyPair(core.random);
  const signedId = await next(records, "preKey");
  records.put(SIGNED_KEYS, ecRecord(signedId, signed, now), signedId);
  const lastResort = await makeKem(core, records, true);
  const oneTime: NewKemPreKey[] = [];
  for (let i = 0; i < counts.kem; i++) oneTime.push(await makeKem(core, records, false));
  const set = createPreKeySet(
    {
      owner: self.local.address,
      privateKey: self.local.identity.privateKey,
      signedPreKey: { id: signedId, publicKey: signed.publicKey },
      lastResort,
      oneTime,
      nowSeconds: seconds(core.clock),
    },
    core.random,
  );
  return { set, oneTimePreKeys: await makeOneTime(core, records, counts.ec) };
}

/** Of an account that did not come to be. */
export async function dropPreKeys(records: Writer): Promise<void> {
  for (const table of [SIGNED_KEYS, EC_KEYS]) for (const { id } of await records.all(table)) records.delete(table, id);
  for (const { id } of await records.all(KEM_KEYS)) records.delete(KEM_KEYS, id);
}

async function makeKem(core: Core, records: Writer, lastResort: boolean): Promise<NewKemPreKey> {
  const pair: KyberKeyPair = generateKyberKeyPair(core.random);
  const id = await next(records, "preKey");
  const createdMilliseconds = core.clock.nowMilliseconds();
  const record: KemKey = { id, seed: pair.seed.expose().slice(), lastResort, createdMilliseconds, replacedMilliseconds: undefined };
  records.put(KEM_KEYS, record, id);
  return { id, publicKey: pair.publicKey };
}

async function makeOneTime(core: Core, records: Writer, count: number): Promise<readonly OneTimePreKey[]> {
  const keys: OneTimePreKey[] = [];
  for (let i = 0; i < count; i++) {
    const pair = generateKeyPair(core.random);
    const id = await next(records, "preKey");
    records.put(EC_KEYS, ecRecord(id, pair, core.clock.nowMilliseconds()), id);
    keys.push({ id, publicKey: pair.publicKey.encode() });
  }
  return keys;
}

function ecRecord(id: number, pair: KeyPair, createdMilliseconds: number): EcKey {
  return { id, privateKey: pair.privateKey.expose().slice(), createdMilliseconds, replacedMilliseconds: undefined };
}

/** Those that another takes the place of now, and the end of those whose grace is over. */
async function replaceOld(records: Writer, now: number): Promise<void> {
  const isOver = (key: { readonly replacedMilliseconds: number | undefined }): boolean =>
    key.replacedMilliseconds !== undefined && now - key.replacedMilliseconds > SIGNED_PREKEY_GRACE_SECONDS * 1000;
  for (const key of await records.all(SIGNED_KEYS)) {
    if (isOver(key)) {
      records.delete(SIGNED_KEYS, key.id);
    } else if (key.replacedMilliseconds === undefined) records.put(SIGNED_KEYS, { ...key, replacedMilliseconds: now }, key.id);
  }
  for (const key of await records.all(KEM_KEYS)) {
    if (isOver(key)) records.delete(KEM_KEYS, key.id);
    else if (key.replacedMilliseconds === undefined) records.put(KEM_KEYS, { ...key, replacedMilliseconds: now }, key.id);
  }
}

/** The private keys that a first message was made for. */
export async function loadPreKeys(records: Writer, use: PreKeyUse): Promise<LoadedPreKeys> {
  const signed = await records.get(SIGNED_KEYS, use.signedPreKeyId);
  const kem = await records.get(KEM_KEYS, use.kyberPreKeyId);
  const oneTime = use.preKeyId === undefined ? undefined : await records.get(EC_KEYS, use.preKeyId);
  return {
    signedPreKey: signed === undefined ? undefined : pairOf(signed.privateKey),
    oneTimePreKey: oneTime === undefined ? undefined : pairOf(oneTime.privateKey),
    kyberPreKey: kem === undefined ? undefined : kyberKeyPairFromSeed(new Secret(kem.seed.slice())),
    usedBefore: (await records.get(KEY_USES, use.signedPreKeyId, nameOfUse(use))) !== undefined,
  };
}

/** In the transaction that keeps the session: one-time keys go, the use stays known. */
export async function spendPreKeys(records: Writer, use: PreKeyUse): Promise<void> {
  if (use.preKeyId !== undefined) records.delete(EC_KEYS, use.preKeyId);
  if ((await records.get(KEM_KEYS, use.kyberPreKeyId))?.lastResort === false) records.delete(KEM_KEYS, use.kyberPreKeyId);
  records.put(KEY_USES, 1, use.signedPreKeyId, nameOfUse(use));
}

function nameOfUse(use: PreKeyUse): string {
  return `${use.kyberPreKeyId} ${toHex(use.baseKey)}`;
}

/** Fills up what is low at the server and renews what is old. */
export async function maintainPreKeys(core: Core, self: Self): Promise<void> {
  const counts = await core.server.getKeyCounts();
  const upload = await core.vault.write((records) => makeDue(core, records, self, counts));
  if (upload !== undefined) await core.server.putKeys(upload);
}

async function makeDue(core: Core, records: Writer, self: Self, counts: KeyCounts): Promise<PreKeyUpload | undefined> {
  const now = core.clock.nowMilliseconds();
  const current = (await records.all(SIGNED_KEYS)).find((key) => key.replacedMilliseconds === undefined);
  const sinceSet = now - (current?.createdMilliseconds ?? 0);
  const isOld = sinceSet > SIGNED_PREKEY_ROTATION_SECONDS * 1000;
  const isKemLow = counts.kem <= PREKEYS_LOW / 4 && sinceSet >= ONCE_PER_MILLISECONDS;
  const isEcLow = counts.ec <= PREKEYS_LOW;
  // The usual case: a hundred keys stay sealed.
  if (!isOld && !isKemLow && !isEcLow) return undefined;
  const oneTime = await records.all(EC_KEYS);
  const sinceOneTime = now - Math.max(0, ...oneTime.map((key) => key.createdMilliseconds));
  const missing = isEcLow && sinceOneTime >= ONCE_PER_MILLISECONDS ? MAX_ONE_TIME_EC_PREKEYS - counts.ec : 0;
  if (!isOld && !isKemLow && missing === 0) return undefined;
  const crowd = oneTime.toSorted((a, b) => a.id - b.id).slice(0, Math.max(0, oneTime.length + missing - MAX_KEPT_ONE_TIME));
  for (const { id } of crowd) records.delete(EC_KEYS, id);
  if (isOld || isKemLow) return await makePreKeys(core, records, self, { ...ALL, ec: missing });
  return { set: undefined, oneTimePreKeys: await makeOneTime(core, records, missing) };
}
