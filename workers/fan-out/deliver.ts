// Brings a chunk of a job into its mailboxes. Every step may run twice: a mailbox knows a message that it has queued, and
// the job knows who has an outcome, so a reference that comes again finds less to do, or nothing.

import type { AcceptResult, ChunkReference, JobRecipient, OpenChunk, Outcome, Settled } from "#durable-objects";
import { encodeSealedV2 } from "#wire";
import type { FanOutServices } from "./services.ts";

/** Whether every recipient of the chunk has an outcome now. @throws Unavailable when the job is not to be had */
export async function deliverChunk(services: FanOutServices, reference: ChunkReference): Promise<boolean> {
  const chunk = await services.job(reference.handle, async (jobs) => await jobs.open(reference));
  if (chunk === undefined) return true;
  const answers = await Promise.allSettled(chunk.recipients.map(async (recipient) => await deliver(services, chunk, recipient)));
  const settled = answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
  if (settled.length > 0) await services.job(reference.handle, async (jobs) => await jobs.settle(reference.handle, settled));
  return settled.length === answers.length;
}

type Addressed = OpenChunk["recipients"][number];

async function deliver(services: FanOutServices, { messageId, tail }: OpenChunk, recipient: Addressed): Promise<Settled> {
  const { index, mailbox, scope } = recipient;
  // What a device receives is made here and as late as this: 600 recipients are never 600 copies in memory.
  const devices = recipient.devices.map(({ deviceId, registrationId, maskedKey, senderTag }) => ({
    deviceId,
    registrationId,
    content: encodeSealedV2(maskedKey, senderTag, tail),
  }));
  const answer = await services.mailbox(mailbox, async (object) => await object.accept({ messageId, scope, ephemeral: false, devices }));
  return { index, outcome: outcomeOf(answer, recipient) };
}

/** A user that nobody knows, or whose account was deleted, looks like one whose devices are all gone: their log tells the sender. */
function outcomeOf(answer: AcceptResult, { devices }: JobRecipient): Outcome {
  switch (answer.kind) {
    case "accepted":
      return { kind: "delivered" };
    case "devices-changed":
      return { kind: "devices-changed", missing: answer.missing, extra: answer.extra, stale: answer.stale };
    case "mailbox-full":
      return { kind: "mailbox-full" };
    case "deleted":
    case "unknown":
      return { kind: "devices-changed", missing: [], extra: devices.map(({ deviceId }) => deviceId), stale: [] };
  }
}
