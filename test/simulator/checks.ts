// What must hold when the weather is calm again, everybody is in reach, and nothing is under way.

import type { Conversation, Message, Peer } from "../../client/api.ts";
import { ClientError } from "../../client/errors.ts";
import type { MessageId } from "#wire";
import { groupsOf } from "./group-talk.ts";
import { type Ledger, type Text, wordsOf } from "./ledger.ts";
import type { Person } from "./person.ts";

export async function checkAll(people: readonly Person[], ledger: Ledger): Promise<void> {
  for (const person of people) {
    for (const other of people) {
      if (person !== other) await checkPair(person, other, ledger);
    }
  }
  await checkGroup(people, ledger);
  for (const text of ledger.texts) checkDelivery(text, people, ledger);
  checkClaims(people, ledger);
}

/** Whether everything that was acknowledged is shown. */
export function isAllShown(people: readonly Person[], ledger: Ledger): boolean {
  return ledger.texts.every((text) => !text.isAcknowledged || isShown(text, people, ledger));
}

function isShown(text: Text, people: readonly Person[], ledger: Ledger): boolean {
  const owed = text.readers.filter((name) => name === text.to || !ledger.removed.has(name));
  return owed.every((reader) => people.find(({ name }) => name === reader)?.shown.some(({ id }) => id === text.id) === true);
}

function checkDelivery(text: Text, people: readonly Person[], ledger: Ledger): void {
  if (text.isAcknowledged && !isShown(text, people, ledger)) ledger.complain("lost", wordsOf(text));
}

/** What one wrote and what the other reads are the same. */
async function checkPair(writer: Person, reader: Person, ledger: Ledger): Promise<void> {
  const written = await conversationWith(writer, reader, ledger);
  const read = await conversationWith(reader, writer, ledger);
  if (written === undefined || read === undefined) return;
  compare({ writer, written, reader, read }, ledger, (complaint, detail) => ledger.complain(complaint, detail));
}

/** Where a group was made and everybody let in: all who were not removed have it, and read in it what the others wrote there. */
async function checkGroup(people: readonly Person[], ledger: Ledger): Promise<void> {
  const groups = await Promise.all(people.map(async ({ client }) => (client === undefined ? [] : await groupsOf(client))));
  const made = groups[0]?.[0];
  if (made === undefined || made.members.length + ledger.removed.size < people.length) return;
  const histories: { readonly person: Person; readonly messages: readonly Message[] }[] = [];
  for (const [i, person] of people.entries()) {
    const [group, ...others] = groups[i] ?? [];
    if (others.length > 0) ledger.complain("wrong-conversation", `${person.name} has ${others.length + 1} groups`);
    if (ledger.removed.has(person.name)) continue;
    if (group?.standing !== "member") ledger.complain("stuck", `${person.name} is not in the group: ${group?.standing ?? "none"}`);
    else histories.push({ person, messages: await historyOf(group, ledger) });
    if (group?.members.length !== made.members.length)
      ledger.complain("different", `${person.name} sees ${group?.members.length ?? 0} members`);
  }
  for (const { person: writer, messages: written } of histories) {
    for (const { person: reader, messages } of histories) {
      const read = messages.filter((message) => message.own || message.from.userId === writer.userId);
      if (reader !== writer)
        compare({ writer, written, reader, read }, ledger, (complaint, detail) => ledger.complainInGroup(complaint, detail));
    }
  }
}

interface Sides {
  readonly writer: Person;
  readonly written: readonly Message[];
  readonly reader: Person;
  readonly read: readonly Message[];
}

function compare({ writer, written, reader, read }: Sides, ledger: Ledger, complain: Ledger["complain"]): void {
  const own = written.filter((message) => message.own);
  const theirs = read.filter((message) => !message.own);
  for (const message of own) checkSent(message, writer, ledger);
  for (const message of theirs) if (message.gapBefore) complain("gap", `${reader.name} was told of a gap`);
  const [said, seen] = [own.map(faceOf), theirs.map(faceOf)];
  const at = said.findIndex((face, i) => face !== seen[i]);
  if (said.length === seen.length && at === -1) return;
  const where = at === -1 ? said.length : at;
  const sameMessages = said.length === seen.length && said.every((face) => seen.includes(face));
  complain(
    sameMessages ? "different-order" : "different",
    `${writer.name} wrote ${said[where] ?? "nothing"}, ${reader.name} reads ${seen[where] ?? "nothing"} (${said.length} and ${seen.length} messages)`,
  );
}

function checkSent(message: Message, writer: Person, ledger: Ledger): void {
  const isOut = message.state === "sent" || message.state === "delivered" || message.state === "read";
  const text = ledger.byId(message.id);
  if (text !== undefined && isOut) text.isAcknowledged = true;
  if (!isOut) ledger.complain("stuck", `${writer.name} has a message that is ${message.state} (${message.error ?? "no error"})`);
}

/** All of a message that both sides must agree about. */
function faceOf({ id, text, edited, deleted, reactions, replyTo }: Message): string {
  const by = reactions.map(({ by, emoji }) => `${by} ${emoji}`).toSorted();
  return JSON.stringify({ id, text, edited, deleted, reactions: by, replyTo: replyTo?.id });
}

/** Oldest first; `undefined` when they never talked. */
async function conversationWith(person: Person, other: Person, ledger: Ledger): Promise<readonly Message[] | undefined> {
  const { client } = person;
  if (client === undefined || other.userId === undefined) {
    ledger.complain("stuck", `${person.name} or ${other.name} has no account`);
    return undefined;
  }
  const found = (await client.conversations.list()).filter(({ id }) => id === other.userId);
  if (found.length > 1) ledger.complain("wrong-conversation", `${person.name} has ${found.length} conversations with ${other.name}`);
  return found[0] === undefined ? [] : await historyOf(found[0], ledger);
}

async function historyOf(conversation: Conversation, ledger: Ledger): Promise<readonly Message[]> {
  const all = new Map<MessageId, Message>();
  for (;;) {
    const before = [...all.keys()].at(-1);
    const page = await conversation.history({ limit: 100, ...(before === undefined ? {} : { before }) });
    const isAgain = page.some(({ id }) => all.has(id)) || new Set(page.map(({ id }) => id)).size < page.length;
    if (isAgain) ledger.complain("duplicated", "a message stands in a history twice");
    if (isAgain || page.length === 0) return [...all.values()].toReversed();
    for (const message of page) all.set(message.id, message);
  }
}

function checkClaims(people: readonly Person[], ledger: Ledger): void {
  for (const { kind, by, messageId, to } of ledger.claims) {
    const claimant = people.find(({ userId }) => userId === by);
    const text = ledger.byId(messageId);
    const shown = claimant?.shown.some(({ id }) => id === messageId) === true;
    const isTrue =
      text?.from === to &&
      claimant !== undefined &&
      text.readers.includes(claimant.name) &&
      shown &&
      (kind === "delivered" || claimant.marked.has(messageId));
    if (!isTrue) ledger.complain("false-receipt", `${to} was told that a message is ${kind}`);
  }
}

/** Everybody can be found by everybody, under the name that they registered with. */
export async function checkNames({ client, name: by }: Person, people: readonly Person[], ledger: Ledger): Promise<void> {
  for (const { name, userId } of people) {
    const found = await client?.contacts.find(name).catch((error: unknown) => error);
    if (found instanceof Error)
      ledger.complain("broken-promise", `${by} does not find ${name}: ${found instanceof ClientError ? found.code : found.message}`);
    else if ((found as Peer | undefined)?.userId !== userId) ledger.complain("broken-promise", `${name} is somebody else`); // what else it resolves to
  }
}
