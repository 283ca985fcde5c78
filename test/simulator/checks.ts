// What must hold when the weather is calm again, everybody is in reach, and nothing is under way.

import type { Client, Conversation, Message } from "../../client/api.ts";
import type { MessageId } from "#wire";
import { type Ledger, type Text, wordsOf } from "./ledger.ts";
import type { Person } from "./person.ts";

export async function checkAll(people: readonly Person[], ledger: Ledger): Promise<void> {
  for (const text of ledger.texts) checkDelivery(text, people, ledger);
  for (const person of people) {
    for (const other of people) {
      if (person !== other) await checkPair(person, other, ledger);
    }
  }
  checkClaims(people, ledger);
}

/** Whether everything that was acknowledged is shown. */
export function isAllShown(people: readonly Person[], ledger: Ledger): boolean {
  return ledger.texts.every((text) => !text.isAcknowledged || isShown(text, people));
}

function isShown(text: Text, people: readonly Person[]): boolean {
  const recipient = people.find(({ name }) => name === text.to);
  return recipient?.shown.some(({ id }) => id === text.id) === true;
}

function checkDelivery(text: Text, people: readonly Person[], ledger: Ledger): void {
  if (text.isAcknowledged && !isShown(text, people)) ledger.complain("lost", wordsOf(text));
}

/** What one wrote and what the other reads are the same. */
async function checkPair(writer: Person, reader: Person, ledger: Ledger): Promise<void> {
  const written = await conversationWith(writer, reader, ledger);
  const read = await conversationWith(reader, writer, ledger);
  if (written === undefined || read === undefined) return;
  const own = written.filter((message) => message.own);
  const theirs = read.filter((message) => !message.own);
  for (const message of own) checkSent(message, writer, ledger);
  for (const message of theirs) if (message.gapBefore) ledger.complain("lost", `${reader.name} was told of a gap`);
  const [said, seen] = [own.map(faceOf), theirs.map(faceOf)];
  const at = said.findIndex((face, i) => face !== seen[i]);
  if (said.length === seen.length && at === -1) return;
  const where = at === -1 ? said.length : at;
  ledger.complain(
    "different",
    `${writer.name} wrote ${said[where] ?? "nothing"}, ${reader.name} reads ${seen[where] ?? "nothing"} (${said.length} and ${seen.length} messages)`,
  );
}

function checkSent(message: Message, writer: Person, ledger: Ledger): void {
  const isOut = message.state === "sent" || message.state === "delivered" || message.state === "read";
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
  const found = (await client.conversations.list()).filter(({ peer }) => peer.userId === other.userId);
  if (found.length > 1) ledger.complain("wrong-conversation", `${person.name} has ${found.length} conversations with ${other.name}`);
  return found[0] === undefined ? [] : await historyOf(found[0]);
}

async function historyOf(conversation: Conversation): Promise<readonly Message[]> {
  const all: Message[] = [];
  for (;;) {
    const before: MessageId | undefined = all.at(-1)?.id;
    const page = await conversation.history({ limit: 100, ...(before === undefined ? {} : { before }) });
    if (page.length === 0) return all.toReversed();
    all.push(...page);
  }
}

function checkClaims(people: readonly Person[], ledger: Ledger): void {
  for (const { kind, by, messageId, to } of ledger.claims) {
    const claimant = people.find(({ userId }) => userId === by);
    const text = ledger.byId(messageId);
    const shown = claimant?.shown.some(({ id }) => id === messageId) === true;
    const isTrue = text?.from === to && text.to === claimant?.name && shown && (kind === "delivered" || claimant.marked.has(messageId));
    if (!isTrue) ledger.complain("false-receipt", `${to} was told that a message is ${kind}`);
  }
}

/** Everybody can be found by everybody, under the name that they registered with. */
export async function checkNames(client: Client, people: readonly Person[], ledger: Ledger): Promise<void> {
  for (const { name, userId } of people) {
    const found = await client.contacts.find(name);
    if (found.userId !== userId) ledger.complain("broken-promise", `${name} is somebody else`);
  }
}
