// The consumers of the queue and of its dead letters. Each message is acknowledged for itself: one that fails holds up no
// other. The platform repeats what is not acknowledged five times, and then it is a dead letter.

import * as v from "valibot";
import type { ChunkReference } from "#durable-objects";
import { MAX_CHUNK_MAILBOXES, MAX_GROUP_MEMBERS } from "#wire";
import { deliverChunk } from "./deliver.ts";
import type { FanOutServices } from "./services.ts";

/** Chunks at a time: what they hold, up to 25 mailboxes of six devices with 96 KiB each, has to fit into memory twice. */
const LANES = 2;
const MAX_DOUBLINGS = 5;
const LAST_CHUNK = Math.ceil(MAX_GROUP_MEMBERS / MAX_CHUNK_MAILBOXES) - 1;

const REFERENCE: v.GenericSchema<unknown, ChunkReference> = v.strictObject({
  handle: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  chunk: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(LAST_CHUNK)),
});

export async function consume(batch: Pick<MessageBatch, "queue" | "messages">, services: FanOutServices): Promise<void> {
  const take = batch.queue.endsWith("-dead") ? bury : deliver;
  const waiting = batch.messages.values();
  const lane = async (): Promise<void> => {
    for (const message of waiting) await take(message, services);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}

async function deliver(message: Message, services: FanOutServices): Promise<void> {
  const reference = parseReference(message.body);
  // Not a reference, for this version of ours: another may know it, and in the end it is a dead letter.
  const isDone = reference !== undefined && (await succeeds(async () => await deliverChunk(services, reference)));
  if (isDone) message.ack();
  else message.retry({ delaySeconds: 2 ** Math.min(message.attempts, MAX_DOUBLINGS) });
}

/** Records and forgets. The job keeps what it has, and its alarm tries again. */
async function bury(message: Message, services: FanOutServices): Promise<void> {
  const reference = parseReference(message.body);
  const isRecorded = reference === undefined || (await succeeds(async () => await recordFailure(services, reference)));
  if (!isRecorded) return message.retry();
  services.countDeadLetter(reference === undefined ? "malformed" : "failed");
  message.ack();
}

async function recordFailure(services: FanOutServices, reference: ChunkReference): Promise<boolean> {
  await services.job(reference.handle, async (jobs) => await jobs.recordFailure(reference));
  return true;
}

async function succeeds(work: () => Promise<boolean>): Promise<boolean> {
  try {
    return await work();
  } catch {
    // The queue repeats it, and behind the queue the job.
    return false;
  }
}

function parseReference(body: unknown): ChunkReference | undefined {
  const result = v.safeParse(REFERENCE, body);
  return result.success ? result.output : undefined;
}
