// Takes a message to many on: from people to names of mailboxes, and to the object that keeps it. Behind this no userId goes.

import type { JobRecipient } from "#durable-objects";
import {
  type Bytes,
  deviceOfServiceId,
  MAX_DEVICES_PER_ACCOUNT,
  MAX_GROUP_MEMBERS,
  type MessageId,
  type MultiRecipient,
  type Recipient,
  splitMultiRecipient,
  type UserId,
  WireError,
} from "#wire";
import type { FanOutServices } from "./services.ts";

/** The devices of one user that a message names. */
interface Addressee {
  readonly userId: UserId;
  readonly devices: readonly Recipient[];
}

export interface ToMany {
  readonly addressees: readonly Addressee[];
  readonly tail: Bytes;
}

/** A message to at least one user and at most a hundred, in the order in which it names them first. @throws WireError */
export function decodeToMany(bytes: Bytes): ToMany {
  const message = splitMultiRecipient(bytes);
  const addressees = addresseesOf(message);
  if (addressees.length === 0) throw new WireError("missing-field");
  if (addressees.length > MAX_GROUP_MEMBERS) throw new WireError("too-many");
  if (addressees.some(({ devices }) => devices.length > MAX_DEVICES_PER_ACCOUNT)) throw new WireError("too-many");
  return { addressees, tail: message.tail };
}

export interface Submission extends ToMany {
  readonly sender: UserId;
  readonly messageId: MessageId;
}

/** Returns the handle, when the message is durable. A repeat is the same job. @throws Unavailable */
export async function submit(services: FanOutServices, { sender, messageId, addressees, tail }: Submission): Promise<string> {
  const handle = services.names.sendHandle(sender, messageId);
  const recipients = addressees.map(({ userId, devices }): JobRecipient => ({
    mailbox: services.names.mailbox(userId),
    // The device that sends is its account's, and is not written to.
    scope: userId === sender ? "some" : "all",
    devices: devices.map(({ serviceId, registrationId, maskedKey, senderTag }) => {
      const { deviceId } = deviceOfServiceId(serviceId);
      return { deviceId, registrationId, maskedKey, senderTag };
    }),
  }));
  await services.job(handle, async (jobs) => await jobs.submit(handle, { messageId, recipients, tail }));
  return handle;
}

/** Devices that the message says it leaves out count as not named: whether they may be is for the mailbox to say. */
function addresseesOf({ recipients }: MultiRecipient): readonly Addressee[] {
  const byUser = Map.groupBy(recipients, ({ serviceId }) => deviceOfServiceId(serviceId).userId);
  return [...byUser].map(([userId, devices]) => ({ userId, devices }));
}
