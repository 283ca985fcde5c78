// Letting a new device in, on a device that is in: meet it, ask the person for the digits that it shows, write the log entry, answer. The
// steps and what each may believe are protocol/link/'s; here are the rendezvous, the person, the log and what is stored meanwhile.

import {
  addLinkedDevice,
  type ApproverMet,
  type ApproverSure,
  type LinkTicket,
  offerLink,
  openReveal,
  refuseLink,
  typeDigits,
  welcomeDevice,
} from "#protocol";
import { type AppendLog, type DeviceId, type LinkWelcome, parseUsername } from "#wire";
import type { HistoryChoice } from "../api.ts";
import { seconds } from "../core.ts";
import { ClientError } from "../errors.ts";
import { OWN, WELCOMES } from "../records/tables.ts";
import type { Sending } from "../sending/compose.ts";
import { Meeting, stepped } from "./meeting.ts";
import { ownDeviceOf } from "./own-log.ts";
import { welcomeDevices } from "./welcome.ts";

/** What a person is asked. */
export interface DigitsAsked {
  /** What the new device calls itself: anybody can call theirs so. */
  readonly deviceName: string;
  readonly triesLeft: number;
}

export interface Approve {
  readonly sending: Sending;
  readonly ticket: LinkTicket;
  /** Asked again when they were wrong. Whoever does not want the device after all throws. */
  readonly digits: (asked: DigitsAsked) => Promise<string>;
  readonly history: HistoryChoice | undefined;
  readonly signal: AbortSignal | undefined;
}

/** @throws ClientError `link-expired`, `wrong-digits`, `untrusted-link`, `devices-full`, `offline`… */
export async function approveLink({ sending, ticket, digits, history, signal }: Approve): Promise<DeviceId> {
  const meeting = new Meeting(sending, ticket.rendezvousId, signal);
  const met = await meet(sending, meeting, ticket);
  const sure = await compareDigits(sending, meeting, met, digits);
  await letIn(sending, meeting, sure, { history, signal });
  // It is in. What it cannot be told now is told when the connection is back.
  await welcomeDevices(sending).catch(() => undefined);
  return sure.device.deviceId;
}

async function meet(sending: Sending, meeting: Meeting, ticket: LinkTicket): Promise<ApproverMet> {
  const { self, accounts, clock, random } = sending;
  const { userId, deviceId: signer } = self.local.address;
  const account = await meeting.persist(() => accounts.refresh(userId));
  const commitment = await meeting.enter();
  const offered = stepped(offerLink({ ticket, commitment, account, signer, nowSeconds: seconds(clock) }, random));
  await meeting.put(2, offered.output);
  return stepped(openReveal(offered.state, await meeting.take(3), seconds(clock))).state;
}

async function compareDigits({ random }: Sending, meeting: Meeting, first: ApproverMet, digits: Approve["digits"]): Promise<ApproverSure> {
  let met = first;
  for (;;) {
    const { said, triesLeft } = met;
    let typed: string;
    try {
      typed = await digits({ deviceName: said.name, triesLeft });
    } catch (error) {
      await meeting.put(4, refuseLink(met, random)).catch(() => undefined);
      throw error;
    }
    const outcome = typeDigits(met, typed.replaceAll(/\s/g, ""), random);
    if (outcome.kind !== "wrong") for (const secret of outcome.spent) secret.wipe();
    if (outcome.kind === "right") return outcome.state;
    if (outcome.kind === "ended") {
      await meeting.put(4, outcome.blob).catch(() => undefined);
      throw new ClientError("wrong-digits");
    }
    met = outcome.state;
  }
}

async function letIn(
  sending: Sending,
  meeting: Meeting,
  sure: ApproverSure,
  { history, signal }: Pick<Approve, "history" | "signal">,
): Promise<void> {
  const { self, clock, random, vault } = sending;
  const { device, said } = sure;
  try {
    // A device that has given up would be in the log all the same, with keys that nobody has.
    await meeting.requireThere(3, 4);
    const { output } = stepped(addLinkedDevice(sure, { signer: ownDeviceOf(self), nowSeconds: seconds(clock) }, random));
    // Before the server is asked: if this program ends meanwhile, the device is told what it needs at the next start.
    const { deviceId, identityKey } = device;
    const welcome = { deviceId, identityKey: identityKey.encode(), name: said.name, ...(history === undefined ? {} : { history }) };
    await vault.write(async (records) => {
      records.put(WELCOMES, { ...welcome, sinceMilliseconds: clock.nowMilliseconds() }, deviceId);
    });
    await append(sending, meeting, output, signal);
  } catch (error) {
    await meeting.put(4, refuseLink(sure, random)).catch(() => undefined);
    throw error;
  }
  const { blob, spent } = welcomeDevice(sure, await welcomeOf(sending, meeting), random);
  await meeting.put(4, blob);
  for (const secret of spent) secret.wipe();
}

/** The entry stands on the log as it was offered. @throws ClientError `link-expired` when that has grown meanwhile */
async function append({ self, server }: Sending, meeting: Meeting, entry: AppendLog, signal: AbortSignal | undefined): Promise<void> {
  const { userId } = self.local.address;
  const answer = await meeting.persist(() => server.appendLog(userId, entry, signal));
  if (answer === "conflict") throw new ClientError("link-expired", { detail: "the account has changed meanwhile" });
}

async function welcomeOf({ self, accounts, vault }: Sending, meeting: Meeting): Promise<Omit<LinkWelcome, "kind">> {
  const { head } = await meeting.persist(() => accounts.refresh(self.local.address.userId));
  const own = await vault.read((records) => records.get(OWN));
  if (own === undefined) throw new ClientError("storage-corrupt");
  const { username, profile, settings, trustRoots } = own;
  return {
    head,
    username: username === undefined ? undefined : parseUsername(username),
    profileName: profile.name,
    ...settings,
    trustRoots,
  };
}
