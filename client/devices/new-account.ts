// The record of an account on a device that is new to it: its own keys, and of the account no more than whose it is.

import type { KeyPair, Random } from "#crypto";
import { type DeviceAddress, parseRegistrationId, type RegistrationId } from "#wire";
import { ClientError } from "../errors.ts";
import { dropPreKeys } from "../prekeys.ts";
import { OWN, type OwnAccount } from "../records/tables.ts";
import type { Writer } from "../records/vault.ts";

export interface NewAccount {
  readonly address: DeviceAddress;
  readonly registrationId: RegistrationId;
  readonly identity: KeyPair;
  readonly server: string;
}

export function newAccount({ address, registrationId, identity, server }: NewAccount): OwnAccount {
  return {
    ...address,
    registrationId,
    identity: identity.privateKey.expose().slice(),
    server,
    username: undefined,
    registered: false,
    trustRoots: [],
    upload: new Uint8Array(0),
    profile: { name: "" },
    settings: { readReceipts: true, typing: true, presence: true },
  };
}

/** 14 bits, and not zero. */
export function drawRegistrationId(random: Random): RegistrationId {
  const [high = 0, low = 0] = random(2);
  return parseRegistrationId(1 + (((high << 8) | low) % 0x3ffe));
}

/** What is left of accounts that did not come to be. @throws ClientError `already-registered` */
export async function makeRoom(records: Writer): Promise<void> {
  if ((await records.get(OWN))?.registered === true) throw new ClientError("already-registered");
  records.delete(OWN);
  await dropPreKeys(records);
}
