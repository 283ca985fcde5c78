// Two people who know each other, with files to send, and what a test asks of them again and again.

import { expect } from "vitest";
import { type Attachment, ClientError, type Message } from "#client";
import type { MessageId } from "#wire";
import { type MediaServer, mediaServer } from "../../../client/media/media-server.ts";
import { type AttachmentRecord, type MessageRecord, MESSAGES, PLACES, UPLOAD_PIECES, UPLOADS } from "../../../client/records/tables.ts";
import { exchange } from "../../../client/transport/exchange.ts";
import { platformClock, platformNetwork } from "../../../client/transport/platform.ts";
import { Tokens } from "../../../client/transport/tokens.ts";
import { found } from "../../support/accounts.ts";
import { seededRandom } from "../../support/random.ts";
import { newcomer, PATIENCE, type Person, settled, withStore } from "../groups/people.ts";

export const MIB = 1024 * 1024;

/** Of noise, so that no piece is like another. */
export function fileOf(size: number, name = "file.bin", seed: number = size): File {
  return new File([seededRandom(seed)(size)], name);
}

export async function expectSame(one: Blob, other: Blob): Promise<void> {
  const [left, right] = await Promise.all([one, other].map(async (file) => Buffer.from(await file.arrayBuffer())));
  expect(left?.length).toBe(right?.length);
  // Compared as a whole: to say where millions of bytes differ takes seconds.
  expect(left?.equals(right ?? Buffer.alloc(0))).toBe(true);
}

/** Both have accepted the other, and receive. */
export async function friends(server: string, options: Parameters<typeof newcomer>[2] = {}): Promise<readonly [Person, Person]> {
  const [alice, bob] = [await newcomer(server, "alice", options), await newcomer(server, "bob")];
  await acquaint(alice, bob);
  return [alice, bob];
}

export async function acquaint(one: Person, other: Person): Promise<void> {
  await one.client.contacts.accept(other.userId);
  await other.client.contacts.accept(one.userId);
  for (const person of [one, other]) await settled(person);
}

/** What somebody has got from somebody, with its files, once it is there. */
export async function received(by: Person, id: string): Promise<Message> {
  await expect.poll(() => by.client.message(id).catch(() => undefined), PATIENCE).toBeDefined();
  return await by.client.message(id);
}

export async function fileIn(by: Person, id: string): Promise<Attachment> {
  return found((await received(by, id)).attachments[0]);
}

/** What a store still holds of files that were to be sent. */
export async function leftOver(person: Pick<Person, "shared">): Promise<{ readonly uploads: number; readonly pieces: number }> {
  return await withStore(person, (vault) =>
    vault.read(async (records) => {
      const pieces = await records.all(UPLOAD_PIECES);
      return { uploads: (await records.all(UPLOADS)).length, pieces: pieces.length };
    }),
  );
}

/** A message as a device has it. */
export async function messageOf(person: Person, id: MessageId): Promise<MessageRecord> {
  return await withStore(person, (vault) =>
    vault.read(async (records) => {
      const { conversation, ordinal } = found((await records.all(PLACES, id))[0]);
      return found(await records.get(MESSAGES, conversation, ordinal));
    }),
  );
}

/** What it says of its first file. */
export async function pointerOf(person: Person, id: MessageId): Promise<AttachmentRecord> {
  return found((await messageOf(person, id)).attachments?.[0]);
}

/** Asks as anybody can who has a pointer. */
export function anyone(server: string): MediaServer {
  const exchanged = exchange(server, platformNetwork, platformClock);
  const nobody = { load: async () => undefined, save: async () => undefined };
  const signer = (): never => {
    throw new Error("nobody signs in");
  };
  return mediaServer(exchanged, new Tokens({ exchange: exchanged, clock: platformClock, place: nobody, signer }));
}

/** Whether the server still has a file. */
export async function isThere(server: string, { stored }: Pick<AttachmentRecord, "stored">): Promise<boolean> {
  const { mediaId, accessSecret } = found(stored);
  try {
    await anyone(server).createUrl(mediaId, accessSecret, undefined);
    return true;
  } catch (error) {
    if (error instanceof ClientError && error.code === "file-gone") return false;
    throw error;
  }
}
