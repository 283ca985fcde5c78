// Two people who know each other, with files to send, and what a test asks of them again and again.

import { expect } from "vitest";
import type { Attachment, Message } from "#client";
import { UPLOAD_PIECES, UPLOADS } from "../../../client/records/tables.ts";
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
