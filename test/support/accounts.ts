// Accounts for tests: devices with their private keys, and logs written by the real authors.

import { generateKeyPair, type KeyPair, type Random } from "#crypto";
import {
  acceptDevice,
  type AccountState,
  addDevice,
  createGenesis,
  deleteAccount,
  describeDevice,
  extendAccount,
  nextDeviceId,
  OUR_CAPABILITIES,
  type OwnDevice,
  proposeDevice,
  readAccountLog,
  recoverAccount,
  revokeDevice,
  setRecoveryKey,
  userIdOfGenesis,
} from "#identity";
import { type Bytes, type DeviceId, parseDeviceId, parseRegistrationId, type UserId } from "#wire";
import { seededRandom } from "./random.ts";

export const START = 1_790_000_000;
export const DAY = 24 * 3600;

export function ownDevice(random: Random, deviceId: DeviceId = parseDeviceId(1)): OwnDevice {
  const registrationId = parseRegistrationId(1 + (random(1)[0] ?? 0));
  return { deviceId, identity: generateKeyPair(random), registrationId, capabilities: OUR_CAPABILITIES };
}

/** One account: everything that its owner has. Every step appends an entry and moves time a minute on. */
export class Owner {
  readonly random: Random;
  readonly entries: Bytes[] = [];
  readonly states: AccountState[] = [];
  readonly devices: OwnDevice[];
  recoveryKey: KeyPair | undefined;
  now: number;

  constructor(seed: number, nowSeconds = START) {
    this.now = nowSeconds;
    this.random = seededRandom(seed);
    const first = ownDevice(this.random);
    this.devices = [first];
    const entry = createGenesis({ device: first, nowSeconds: this.now }, this.random);
    this.entries.push(entry);
    this.states.push(readAccountLog([entry], { userId: userIdOfGenesis(entry), nowSeconds: this.now }));
  }

  get userId(): UserId {
    return this.account.userId;
  }

  get account(): AccountState {
    return found(this.states.at(-1));
  }

  get first(): OwnDevice {
    return found(this.devices[0]);
  }

  read(entries: readonly Bytes[] = this.entries): AccountState {
    return readAccountLog(entries, { userId: this.userId, nowSeconds: this.now });
  }

  append(entry: Bytes): Bytes {
    this.states.push(extendAccount(this.account, entry, this.now));
    this.entries.push(entry);
    this.now += 60;
    return entry;
  }

  /** The entry alone: nothing is appended. */
  writeAdd(device: OwnDevice, signer: OwnDevice = this.first): Bytes {
    const described = describeDevice(device);
    const proposal = proposeDevice(this.account, { device: described, signer: signer.deviceId, nowSeconds: this.now });
    const countersignature = acceptDevice({ proposal, userId: this.userId, device }, this.random);
    return addDevice(this.account, { proposal, device: described, countersignature, signer, nowSeconds: this.now }, this.random);
  }

  add(signer: OwnDevice = this.first): OwnDevice {
    const device = ownDevice(this.random, nextDeviceId(this.account));
    this.append(this.writeAdd(device, signer));
    this.devices.push(device);
    return device;
  }

  revoke(device: OwnDevice, signer: OwnDevice = this.first): Bytes {
    const entry = revokeDevice(this.account, { deviceId: device.deviceId, signer, nowSeconds: this.now }, this.random);
    this.append(entry);
    this.devices.splice(this.devices.indexOf(device), 1);
    return entry;
  }

  /** Names a new recovery key, with the consent of `consenting`. */
  nameKey(consenting: KeyPair | undefined, signer: OwnDevice = this.first): KeyPair {
    const pair = generateKeyPair(this.random);
    const base = { recoveryKey: pair.publicKey, signer, nowSeconds: this.now };
    const input = consenting === undefined ? base : { ...base, consent: consenting.privateKey };
    this.append(setRecoveryKey(this.account, input, this.random));
    return pair;
  }

  /** The entry alone: nothing is appended. */
  writeEnd(signer: OwnDevice = this.first): Bytes {
    return deleteAccount(this.account, { signer, nowSeconds: this.now }, this.random);
  }

  recover(key: KeyPair): OwnDevice {
    const device = ownDevice(this.random, nextDeviceId(this.account));
    this.append(recoverAccount(this.account, { device, recoveryKey: key.privateKey, nowSeconds: this.now }, this.random));
    this.devices.splice(0, this.devices.length, device);
    return device;
  }
}

/** An account whose log has an entry of every type, twice where there are two ways. */
export function variedAccount(seed: number): Owner {
  const owner = new Owner(seed);
  const second = owner.add();
  const key = owner.nameKey(undefined);
  const newKey = owner.nameKey(key, second);
  const third = owner.add(second);
  owner.revoke(second, third);
  owner.nameKey(undefined, third);
  owner.recover(newKey);
  owner.recoveryKey = newKey;
  return owner;
}

export function found<T>(value: T | undefined): T {
  if (value === undefined) throw new RangeError("not there");
  return value;
}
