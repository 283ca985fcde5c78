// Being let in, on a new device: show a code or ask an account's devices, meet the one that answers, show the digits, and become a device
// of its account. The steps and what each may believe are protocol/link/'s. Nothing is this account's here before the log says that we are
// in it.

import { generateKeyPair } from "#crypto";
import { type AccountState, activeDevice, compareHeads, OUR_CAPABILITIES, readAccountLog } from "#identity";
import { beginLink, type LinkBy, linkCodeOf, type NewcomerMet, openAnswer, openOffer, revealDevice } from "#protocol";
import { type Bytes, type DeviceAddress, type LinkWelcome, type PreKeyUpload, ProtocolError, WireError } from "#wire";
import { type Core, pairOf, seconds, selfOf } from "../core.ts";
import { ClientError } from "../errors.ts";
import { dropPreKeys, makePreKeys, NO_ONE_TIME_KEYS } from "../prekeys.ts";
import { ACCOUNTS, OWN, type OwnAccount } from "../records/tables.ts";
import type { Writer } from "../records/vault.ts";
import { Meeting, stepped } from "./meeting.ts";
import { linkText } from "./link-text.ts";
import { keepDeviceName } from "./names.ts";
import { drawRegistrationId, makeRoom, newAccount } from "./new-account.ts";

export interface Join {
  readonly core: Core;
  readonly server: string;
  readonly name: string;
  readonly by: LinkBy;
  /** From now on requests are signed as this device's; with nothing, no more. */
  readonly signIn: (account: OwnAccount | undefined) => void;
  readonly showDigits: (digits: string) => void;
  readonly signal: AbortSignal | undefined;
}

export interface Joining {
  /** To be shown, until an active device has answered; absent where the account was named. */
  readonly link: string | undefined;
  /** Ends in the account. @throws ClientError `link-expired`, `link-refused`, `untrusted-link`, `offline`… */
  readonly finish: () => Promise<OwnAccount>;
}

/** Resolves when an active device may answer. */
export async function join(input: Join): Promise<Joining> {
  const { core, server, by, signal } = input;
  const newcomer = beginLink(by, seconds(core.clock), core.random);
  const { ticket } = newcomer;
  const link = by.kind === "code" ? linkText(server, linkCodeOf(newcomer)) : undefined;
  const meeting = new Meeting(core, ticket.rendezvousId, signal);
  await meeting.open(ticket.commitment);
  const { rendezvousId, commitment } = ticket;
  if (by.kind === "request") await core.server.requestLink(by.userId, { rendezvousId, commitment }, signal);
  return {
    link,
    async finish() {
      const { state: met, output: address } = stepped(openOffer(newcomer, await meeting.take(2), seconds(core.clock)));
      try {
        return await become(input, meeting, met, address);
      } catch (error) {
        input.signIn(undefined);
        await core.vault.write(dropOurs).catch(() => undefined);
        throw error;
      }
    },
  };
}

/** Another account may have been made here meanwhile: then the keys are that one's. */
async function dropOurs(records: Writer): Promise<void> {
  if ((await records.get(OWN)) === undefined) await dropPreKeys(records);
}

async function become(input: Join, meeting: Meeting, met: NewcomerMet, address: DeviceAddress): Promise<OwnAccount> {
  const { core, server, name, showDigits, signIn, signal } = input;
  const { clock, random } = core;
  const registrationId = drawRegistrationId(random);
  const draft = newAccount({ address, registrationId, identity: generateKeyPair(random), server });
  const preKeys = await firstPreKeys(core, draft);
  const device = { ...draft, identity: pairOf(draft.identity), capabilities: OUR_CAPABILITIES };
  const { state, output } = stepped(revealDevice(met, { device, name, preKeys, nowSeconds: seconds(clock) }, random));
  await meeting.put(3, output.blob);
  showDigits(output.digits);
  const { output: answer } = stepped(openAnswer(state, await meeting.take(4), seconds(clock)));
  if (answer.kind === "refused") throw new ClientError("link-refused");
  const account = welcomed(draft, answer);
  signIn(account);
  const entries = await meeting.persist(() => core.server.getLog(address.userId, 0, signal));
  requireIn(verified(core, account, entries), entries, account, answer);
  return await settle(core, { ...account, askedAt: meeting.rendezvousId }, entries, name);
}

async function firstPreKeys(core: Core, draft: OwnAccount): Promise<PreKeyUpload> {
  return await core.vault.write(async (records) => {
    await makeRoom(records);
    return await makePreKeys(core, records, selfOf(draft), NO_ONE_TIME_KEYS);
  });
}

function welcomed(draft: OwnAccount, { username, profileName, trustRoots, ...answer }: LinkWelcome): OwnAccount {
  const { readReceipts, typing, presence } = answer;
  return { ...draft, username, trustRoots, profile: { name: profileName }, settings: { readReceipts, typing, presence } };
}

function verified({ clock }: Core, { userId }: OwnAccount, entries: readonly Bytes[]): AccountState {
  try {
    return readAccountLog(entries, { userId, nowSeconds: seconds(clock) });
  } catch (cause) {
    if (!(cause instanceof ProtocolError || cause instanceof WireError)) throw cause;
    throw new ClientError("untrusted-link", { cause });
  }
}

/** What the server shows has what the other device has said, and this device in it. */
function requireIn(state: AccountState, entries: readonly Bytes[], { deviceId, identity }: OwnAccount, { head }: LinkWelcome): void {
  const { kind } = compareHeads(head, entries);
  const isIn = activeDevice(state, deviceId)?.identityKey.equals(pairOf(identity).publicKey) === true;
  if (kind === "fork" || kind === "rollback" || !isIn)
    throw new ClientError("untrusted-link", { detail: "the log does not have this device" });
}

async function settle(core: Core, account: OwnAccount, entries: readonly Bytes[], name: string): Promise<OwnAccount> {
  const own: OwnAccount = { ...account, registered: true, unannounced: true };
  const upload = await core.vault.write(async (records) => {
    // Another program may have been faster.
    if ((await records.get(OWN))?.registered === true) throw new ClientError("already-registered");
    records.put(OWN, own);
    records.put(ACCOUNTS, { entries, recordSeconds: {}, forked: false }, own.userId);
    keepDeviceName(records, own.deviceId, name);
    return await makePreKeys(core, records, selfOf(own));
  });
  // What there was no room for. The device is in without it: it is filled up like that of any other.
  await core.server.putKeys(upload).catch(() => undefined);
  return own;
}
