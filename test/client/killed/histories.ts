// What two people have in the end, when both may finish: each text once and in order on both sides, everything among it that was
// ever called stored, and nothing that could not be read.

import type { Client, ClientEvent, Message } from "#client";
import type { Person } from "./person.ts";

const PATIENCE_MILLISECONDS = 60_000;
const ALL = 1_000_000;

interface End {
  readonly person: Person;
  readonly own: readonly Message[];
  readonly theirs: readonly Message[];
  readonly events: readonly ClientEvent[];
}

export interface Comparison {
  readonly texts: number;
  readonly differences: readonly string[];
}

export async function compareHistories(alice: Person, bob: Person): Promise<Comparison> {
  await using ofAlice = await alice.client();
  await using ofBob = await bob.client();
  const signal = AbortSignal.timeout(PATIENCE_MILLISECONDS);
  await Promise.all([ofAlice.connect({ signal }), ofBob.connect({ signal })]);
  await lastDelivered(ofAlice, bob, signal);
  await lastDelivered(ofBob, alice, signal);
  const [a, b] = [await endOf(alice, ofAlice, bob), await endOf(bob, ofBob, alice)];
  return { texts: a.own.length + b.own.length, differences: [...differences(a, b), ...differences(b, a)] };
}

/** By then the others have arrived as well, or never will. */
async function lastDelivered(client: Client, peer: Person, signal: AbortSignal): Promise<void> {
  const history = await (await client.conversations.direct(peer.reader.userId)).history({ limit: ALL });
  await history.find(({ own }) => own)?.delivered({ signal });
}

async function endOf(person: Person, client: Client, peer: Person): Promise<End> {
  const history = await (await client.conversations.direct(peer.reader.userId)).history({ limit: ALL });
  const [own, theirs] = [history.filter((message) => message.own), history.filter((message) => !message.own)];
  const events: ClientEvent[] = [];
  for await (const event of client.events({ after: "0", wait: false })) events.push(event);
  return { person, own: own.toReversed(), theirs: theirs.toReversed(), events };
}

function differences({ person, own }: End, { theirs, events }: End): readonly string[] {
  const { name, stored } = person;
  const shown = events.flatMap((event) => (event.type === "message" ? [event.message] : []));
  const claims: readonly (readonly [isSo: boolean, otherwise: string])[] = [
    [own.length > stored, `${stored} was stored, and there are ${own.length} messages`],
    [own.every(({ text }, i) => text === `${name} ${i}`), "what was written is not each number once, in order"],
    [isSame(own, theirs), `wrote ${own.length} messages, and ${theirs.length} others arrived`],
    [isSame(theirs, shown), `${theirs.length} messages arrived, and ${shown.length} others were told`],
    [own.every(({ state }) => state === "delivered" || state === "read"), "a message has no receipt"],
    [!theirs.some(({ gapBefore }) => gapBefore), "a gap is shown"],
    [!events.some(({ type }) => type === "notice"), "the reader was given a notice"],
  ];
  return claims.flatMap(([isSo, otherwise]) => (isSo ? [] : [`${name}: ${otherwise}`]));
}

function isSame(some: readonly Message[], others: readonly Message[]): boolean {
  return some.length === others.length && some.every(({ id, text }, i) => id === others[i]?.id && text === others[i].text);
}
