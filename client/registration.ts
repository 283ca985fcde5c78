// A new account: keys, first log entry and prekeys are stored before the server hears of them, so that an answer that is lost
// costs nothing: the same account is asked for again.

import { generateKeyPair } from "#crypto";
import { createGenesis, OUR_CAPABILITIES, userIdOfGenesis } from "#identity";
import { decodePreKeyUpload, encodePreKeyUpload, parseDeviceId, parseUsername, type Username, WireError } from "#wire";
import { type Core, seconds, selfOf } from "./core.ts";
import { drawRegistrationId, newAccount } from "./devices/new-account.ts";
import { ClientError } from "./errors.ts";
import { givenName } from "./given.ts";
import { makePreKeys } from "./prekeys.ts";
import { ACCOUNTS, OWN, type OwnAccount } from "./records/tables.ts";
import type { Writer } from "./records/vault.ts";

export interface Register {
  readonly server: string;
  readonly username: string | undefined;
  readonly invite: string | undefined;
  readonly name: string | undefined;
  readonly signal: AbortSignal | undefined;
}

/** @throws ClientError `already-registered`, `username-taken`, `invite-required`, `bad-argument`, `offline`… */
export async function registerAccount(core: Core, { server, username, invite, name, signal }: Register): Promise<OwnAccount> {
  const wanted = username === undefined ? undefined : usernameOf(username);
  const called = givenName(name ?? username ?? "");
  const { trustRoots } = await core.server.getConfig(signal);
  const account = await core.vault.write(async (records) => {
    const before = await records.get(OWN);
    if (before?.registered === true) throw new ClientError("already-registered");
    const made = before ?? (await makeAccount(core, records, server));
    const named = { ...made, username: wanted, profile: { name: called } };
    records.put(OWN, { ...named, trustRoots: trustRoots.map((root) => root.encode()) });
    return named;
  });
  const known = await core.vault.read((records) => records.get(ACCOUNTS, account.userId));
  const genesis = known?.entries[0];
  if (genesis === undefined) throw new ClientError("storage-corrupt");
  await core.server.createAccount({ genesis, preKeys: decodePreKeyUpload(account.upload), username: wanted, invite }, signal);
  return await core.vault.write(async (records) => {
    const stored = await records.get(OWN);
    if (stored === undefined) throw new ClientError("storage-corrupt");
    const done = { ...stored, registered: true, upload: new Uint8Array(0) };
    records.put(OWN, done);
    return done;
  });
}

function usernameOf(text: string): Username {
  try {
    return parseUsername(text);
  } catch (cause) {
    if (!(cause instanceof WireError)) throw cause;
    throw new ClientError("bad-argument", { cause, detail: "a username has 3 to 32 characters: a-z, 0-9, underscores and dots" });
  }
}

async function makeAccount(core: Core, records: Writer, server: string): Promise<OwnAccount> {
  const identity = generateKeyPair(core.random);
  const deviceId = parseDeviceId(1);
  const registrationId = drawRegistrationId(core.random);
  const device = { deviceId, identity, registrationId, capabilities: OUR_CAPABILITIES };
  const genesis = createGenesis({ device, nowSeconds: seconds(core.clock) }, core.random);
  const userId = userIdOfGenesis(genesis);
  const account: OwnAccount = newAccount({ address: { userId, deviceId }, registrationId, identity, server });
  records.put(ACCOUNTS, { entries: [genesis], recordSeconds: {}, forked: false }, userId);
  const upload = encodePreKeyUpload(await makePreKeys(core, records, selfOf(account)));
  const stored = { ...account, upload };
  records.put(OWN, stored);
  return stored;
}
