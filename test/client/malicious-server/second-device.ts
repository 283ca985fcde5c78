// A second device of somebody's, made here with their real keys and without a program: a server lies about those that are there.

import { systemRandom } from "#crypto";
import {
  acceptDevice,
  type AccountState,
  addDevice,
  createPreKeySet,
  deleteAccount,
  describeDevice,
  type OwnDevice,
  nextDeviceId,
  OUR_CAPABILITIES,
  proposeDevice,
  readAccountLog,
  revokeDevice,
} from "#identity";
import { type Bytes, type DevicePreKeys, encodeAppendLog, parseDeviceId, pathOf, type PreKeySet, type UserId } from "#wire";
import { memory } from "edgewise/store/memory";
import { pairOf } from "../../../client/core.ts";
import { ACCOUNTS, OWN } from "../../../client/records/tables.ts";
import { Vault } from "../../../client/records/vault.ts";
import { platformNetwork } from "../../../client/transport/platform.ts";
import { found, ownDevice } from "../../support/accounts.ts";
import { oneTimeKeys, preKeyInput } from "../../support/prekeys.ts";
import type { Person } from "./town.ts";

export interface Key {
  readonly first: OwnDevice;
  readonly account: AccountState;
  readonly entries: readonly Bytes[];
}

/** What only this person has. */
export async function keyOf(person: Person): Promise<Key> {
  const vault = await Vault.open(memory({ shared: person.shared }), systemRandom);
  const [own, known] = await vault.read(async (records) => [await records.get(OWN), await records.get(ACCOUNTS, person.userId)]);
  await vault.close();
  const { deviceId, registrationId, identity } = found(own);
  const first = { deviceId, registrationId, identity: pairOf(identity), capabilities: OUR_CAPABILITIES };
  const { entries } = found(known);
  return { first, entries, account: readAccountLog(entries, { userId: person.userId, nowSeconds: nowSeconds() }) };
}

/** What a person has of somebody's log. */
export async function logOf(person: Person, userId: UserId): Promise<readonly Bytes[]> {
  const vault = await Vault.open(memory({ shared: person.shared }), systemRandom);
  const known = await vault.read((records) => records.get(ACCOUNTS, userId));
  await vault.close();
  return found(known).entries;
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

/** A device that `key` admits, or that somebody else would like to be admitted. */
export function writeDevice({ first, account }: Key, device: OwnDevice = ownDevice(systemRandom, nextDeviceId(account))): Added {
  const described = describeDevice(device);
  const proposal = proposeDevice(account, { device: described, signer: first.deviceId, nowSeconds: nowSeconds() });
  const countersignature = acceptDevice({ proposal, userId: account.userId, device }, systemRandom);
  const input = { proposal, device: described, countersignature, signer: first, nowSeconds: nowSeconds() };
  return { device, entry: addDevice(account, input, systemRandom), set: preKeysOf(account.userId, device) };
}

export interface Added {
  readonly device: OwnDevice;
  readonly entry: Bytes;
  readonly set: PreKeySet;
}

export function preKeysOf(userId: UserId, device: OwnDevice): PreKeySet {
  return createPreKeySet({ ...preKeyInput(userId, device, systemRandom), nowSeconds: nowSeconds() }, systemRandom);
}

/** What a server hands out of it. */
export function handedOut({ device, set }: Omit<Added, "entry">): DevicePreKeys {
  const { record, signedPreKey, lastResort: kemPreKey } = set;
  return { deviceId: device.deviceId, record, signedPreKey, kemPreKey, oneTimePreKey: undefined };
}

export function writeRevocation({ first, account }: Key, deviceId: number): Bytes {
  return revokeDevice(account, { deviceId: parseDeviceId(deviceId), signer: first, nowSeconds: nowSeconds() }, systemRandom);
}

export function writeEnd({ first, account }: Key): Bytes {
  return deleteAccount(account, { signer: first, nowSeconds: nowSeconds() }, systemRandom);
}

/** Puts the device into the log at the real server, with the owner's token. */
export async function append(person: Person, { entry, set }: Pick<Added, "entry"> & Partial<Added>): Promise<void> {
  const token = found(person.liar.asked.findLast(({ headers }) => headers["authorization"] !== undefined)).headers["authorization"];
  const preKeys = set === undefined ? undefined : { set, oneTimePreKeys: oneTimeKeys([1, 2, 3], systemRandom) };
  const url = new URL(pathOf("appendLog", { userId: person.userId }), found(person.liar.asked[0]).url).href;
  const headers = { "content-type": "application/x-protobuf", authorization: found(token) };
  const body = encodeAppendLog({ entry, preKeys });
  const answer = await platformNetwork.request({ method: "POST", url, headers, body, signal: AbortSignal.timeout(10_000) });
  if (answer.status !== 200) throw new Error(`not appended: ${answer.status}`);
}
