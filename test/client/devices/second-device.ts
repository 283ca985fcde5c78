// A second device of an account, put into its log by hand, for tests in which no program of the first one runs: its own keys, an entry
// that both devices have signed, and a store that knows whose it is. Nothing comes along of what the first one knows.

import type { Store } from "#client";
import { generateKeyPair, systemRandom } from "#crypto";
import {
  acceptDevice,
  addDevice,
  answerChallenge,
  deleteAccount,
  describeDevice,
  nextDeviceId,
  OUR_CAPABILITIES,
  type OwnDevice,
  proposeDevice,
  readAccountLog,
  revokeDevice as revoke,
} from "#identity";
import { type Bytes, type DeviceId, parseRegistrationId, type PreKeyUpload } from "#wire";
import { type Core, seconds, type Self, selfOf } from "../../../client/core.ts";
import { makePreKeys } from "../../../client/prekeys.ts";
import { ACCOUNTS, OWN, type OwnAccount } from "../../../client/records/tables.ts";
import { Vault } from "../../../client/records/vault.ts";
import { exchange } from "../../../client/transport/exchange.ts";
import { httpApi } from "../../../client/transport/http-api.ts";
import { platformClock, platformNetwork } from "../../../client/transport/platform.ts";
import { Tokens } from "../../../client/transport/tokens.ts";

/** `first` is the store of a device that no program uses now; `second` becomes the other one's. */
export async function addSecondDevice(server: string, first: Store, second: Store): Promise<void> {
  await using mine = await opened(server, first);
  await using theirs = await opened(server, second);
  const own = await mine.core.vault.read((records) => records.get(OWN));
  if (own === undefined) throw new Error("there is no account");
  const known = await mine.core.vault.read((records) => records.get(ACCOUNTS, own.userId));
  const self = (mine.self = selfOf(own));
  const nowSeconds = seconds(platformClock);
  const account = readAccountLog(known?.entries ?? [], { userId: own.userId, nowSeconds });
  const device: OwnDevice = {
    deviceId: nextDeviceId(account),
    identity: generateKeyPair(systemRandom),
    registrationId: parseRegistrationId(4711),
    capabilities: OUR_CAPABILITIES,
  };
  const described = describeDevice(device);
  const proposal = proposeDevice(account, { device: described, signer: own.deviceId, nowSeconds });
  const countersignature = acceptDevice({ proposal, userId: own.userId, device }, systemRandom);
  const signer: OwnDevice = { ...self.local, deviceId: own.deviceId, capabilities: OUR_CAPABILITIES };
  const entry = addDevice(account, { proposal, device: described, countersignature, signer, nowSeconds }, systemRandom);
  const preKeys = await settle(theirs.core, own, device, [...(known?.entries ?? []), entry]);
  await mine.core.server.appendLog(own.userId, { entry, preKeys });
}

/** The device whose store this is puts another one out. No program uses the store now. */
export async function revokeDevice(server: string, store: Store, deviceId: DeviceId): Promise<void> {
  await using mine = await opened(server, store);
  const own = await mine.core.vault.read((records) => records.get(OWN));
  if (own === undefined) throw new Error("there is no account");
  const self = (mine.self = selfOf(own));
  const entries = await mine.core.server.getLog(own.userId, 0);
  const nowSeconds = seconds(platformClock);
  const account = readAccountLog(entries, { userId: own.userId, nowSeconds });
  const signer: OwnDevice = { ...self.local, deviceId: own.deviceId, capabilities: OUR_CAPABILITIES };
  const entry = revoke(account, { deviceId, signer, nowSeconds }, systemRandom);
  await mine.core.server.appendLog(own.userId, { entry, preKeys: undefined });
}

/** The device whose store this is ends the account and does nothing else of what goes with that. No program uses the store now. */
export async function writeEnd(server: string, store: Store): Promise<void> {
  await using mine = await opened(server, store);
  const own = await mine.core.vault.read((records) => records.get(OWN));
  if (own === undefined) throw new Error("there is no account");
  const self = (mine.self = selfOf(own));
  const entries = await mine.core.server.getLog(own.userId, 0);
  const nowSeconds = seconds(platformClock);
  const account = readAccountLog(entries, { userId: own.userId, nowSeconds });
  const signer: OwnDevice = { ...self.local, deviceId: own.deviceId, capabilities: OUR_CAPABILITIES };
  await mine.core.server.appendLog(own.userId, { entry: deleteAccount(account, { signer, nowSeconds }, systemRandom), preKeys: undefined });
}

async function settle(core: Core, own: OwnAccount, device: OwnDevice, entries: readonly Bytes[]): Promise<PreKeyUpload> {
  const { deviceId, registrationId, identity } = device;
  const account = { ...own, deviceId, registrationId, identity: identity.privateKey.expose().slice() };
  return await core.vault.write(async (records) => {
    records.put(OWN, account);
    records.put(ACCOUNTS, { entries, recordSeconds: {}, forked: false }, own.userId);
    return await makePreKeys(core, records, selfOf(account));
  });
}

interface Opened extends AsyncDisposable {
  readonly core: Core;
  /** Who signs in. */
  self: Self | undefined;
}

async function opened(server: string, store: Store): Promise<Opened> {
  const vault = await Vault.open(store, systemRandom);
  const exchanged = exchange(server, platformNetwork, platformClock);
  const place = { load: async () => undefined, save: async () => undefined };
  const tokens = new Tokens({ exchange: exchanged, clock: platformClock, place, signer });
  const core = { vault, server: httpApi(exchanged, tokens), clock: platformClock, random: systemRandom };
  const made: Opened = { core, self: undefined, [Symbol.asyncDispose]: () => vault.close() };
  function signer(): ReturnType<ConstructorParameters<typeof Tokens>[0]["signer"]> {
    const { local } = made.self ?? selfOf(undefined);
    const { address, identity } = local;
    return {
      address,
      answer: (nonce) => answerChallenge({ origin: server, device: address, nonce }, identity.privateKey, systemRandom),
    };
  }
  return made;
}
