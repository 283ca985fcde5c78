// Six admins change one group at the same time. The server reads nothing of it and takes one entry after the other; what comes
// out is one history, in which everything that was answered is there once.

import { afterAll, beforeAll, expect, test } from "vitest";
import { ClientError, type GroupConversation } from "#client";
import { groupMember, stateHashOf } from "#protocol";
import { parseGroupId, toHex, type UserId } from "#wire";
import { GROUPS } from "../../../client/records/tables.ts";
import { found } from "../../support/accounts.ts";
import { groupOf, HOOK_MILLISECONDS, newcomer, PATIENCE, type Person, Place, recordOf, withStore } from "./people.ts";

const ADMINS = 6;
/** So many come, go and rise, each by one admin's hand. */
const EACH_WAY = 3;
const OPERATIONS = 50;
const RENAMES = OPERATIONS - 3 * EACH_WAY - 2;

const place = new Place();
beforeAll(() => place.start(), HOOK_MILLISECONDS);
afterAll(() => place.close(), HOOK_MILLISECONDS);

interface Operation {
  readonly by: Person;
  readonly kind: "rename" | "add" | "remove" | "promote" | "demote";
  /** The person that it is about, or the title. */
  readonly what: string;
}

/** "done", or the code of the refusal. */
async function perform({ by, kind, what }: Operation, id: string): Promise<string> {
  try {
    await act(await by.client.conversations.group(id), kind, what);
    return "done";
  } catch (error) {
    if (error instanceof ClientError) return error.code;
    throw error;
  }
}

async function act(group: GroupConversation, kind: Operation["kind"], what: string): Promise<void> {
  if (kind === "rename") await group.rename(what);
  else if (kind === "add") await group.add([what]);
  else if (kind === "remove") await group.remove([what]);
  else await group.setRole(what, kind === "promote" ? "admin" : "member");
}

/** How often each kind of change was made by whom, as somebody was told: of what others have done. */
async function told({ client }: Person, id: string): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  for await (const event of client.events({ after: "0", wait: false })) {
    if (event.type !== "notice" || event.kind !== "group-changed" || event.group?.id !== id) continue;
    const name = `${event.peer.userId} ${event.reason}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

interface Seen {
  readonly version: number;
  readonly stateHash: string;
  readonly title: string;
}

async function seenBy(person: Person, id: string): Promise<Seen | undefined> {
  const record = await recordOf(person, id);
  if (record === undefined) return undefined;
  return { version: record.state.version, stateHash: toHex(stateHashOf(record.state)), title: record.state.title };
}

/** Which state every version had. */
async function historyOf(person: Person, id: string): Promise<readonly string[]> {
  const known = await withStore(person, (vault) => vault.read((records) => records.get(GROUPS, parseGroupId(id))));
  return found(known).past.map(({ version, stateHash }) => `${version} ${toHex(stateHash)}`);
}

async function several(count: number, name: string): Promise<readonly Person[]> {
  return await Promise.all(Array.from({ length: count }, () => newcomer(place.url, name)));
}

const ids = (people: readonly Person[]): readonly UserId[] => people.map(({ userId }) => userId);

test(`of ${OPERATIONS} changes that ${ADMINS} admins make at once each is made once or refused, and all members end with one state`, async () => {
  const admins = await several(ADMINS, "admin");
  const goers = await several(EACH_WAY, "goer");
  const risers = await several(EACH_WAY, "riser");
  const comers = await several(EACH_WAY, "comer");
  const first = found(admins[0]);
  const [demoted, removed] = [found(admins[4]), found(admins[5])];
  const id = await groupOf([...admins, ...goers, ...risers], "Parliament");
  const chair = await first.client.conversations.group(id);
  for (const { userId } of admins.slice(1)) await chair.setRole(userId, "admin");
  const before = found(await seenBy(first, id));
  for (const person of [...admins, ...goers, ...risers]) await expect.poll(() => seenBy(person, id), PATIENCE).toEqual(before);
  const toldBefore = await told(first, id);

  const operations: readonly Operation[] = [
    { by: first, kind: "demote", what: demoted.userId },
    { by: found(admins[1]), kind: "remove", what: removed.userId },
    ...Array.from({ length: RENAMES }, (_, i): Operation => ({ by: found(admins[i % ADMINS]), kind: "rename", what: `Title ${i}` })),
    ...comers.map(({ userId }, i): Operation => ({ by: found(admins[i]), kind: "add", what: userId })),
    ...goers.map(({ userId }, i): Operation => ({ by: found(admins[i + 1]), kind: "remove", what: userId })),
    ...risers.map(({ userId }, i): Operation => ({ by: found(admins[i + 2]), kind: "promote", what: userId })),
  ];
  expect(operations).toHaveLength(OPERATIONS);
  const outcomes = await Promise.all(operations.map((operation) => perform(operation, id)));
  const done = operations.filter((_, i) => outcomes[i] === "done");
  const refused = operations.flatMap(({ by }, i) => (outcomes[i] === "done" ? [] : [{ by, code: outcomes[i] }]));
  // Whoever is an admin to the end gets everything done.
  for (const { by, code } of refused) {
    expect([demoted, removed]).toContain(by);
    expect(["not-an-admin", "not-a-member"]).toContain(code);
  }

  // By now both of these were done: their authors are admins to the end.
  expect(await perform({ by: demoted, kind: "rename", what: "Too late" }, id)).toBe("not-an-admin");
  expect(await perform({ by: removed, kind: "rename", what: "Too late" }, id)).toBe("not-a-member");

  await expect.poll(async () => (await seenBy(first, id))?.version, PATIENCE).toBe(before.version + done.length);
  const after = found(await recordOf(first, id)).state;
  const of = (kind: Operation["kind"]): readonly string[] => done.flatMap((operation) => (operation.kind === kind ? [operation.what] : []));
  const stayed = [...admins, ...goers, ...risers, ...comers.filter(({ userId }) => of("add").includes(userId))].filter(
    ({ userId }) => !of("remove").includes(userId),
  );
  expect(ids(stayed).toSorted()).toEqual(after.members.map(({ userId }) => userId).toSorted());
  for (const { userId } of risers) expect(groupMember(after, userId)?.role).toBe(of("promote").includes(userId) ? "admin" : "member");
  expect(groupMember(after, demoted.userId)?.role).toBe("member");
  expect(of("rename")).toContain(after.title);

  const end = found(await seenBy(first, id));
  for (const person of stayed) await expect.poll(() => seenBy(person, id), PATIENCE).toEqual(end);
  // The first was there before the others.
  const history = (await historyOf(first, id)).slice(1);
  for (const person of [...admins.slice(1, 5), ...risers]) expect(await historyOf(person, id)).toEqual(history);
  const counted = await told(first, id);
  for (const by of admins) {
    for (const kind of ["rename", "add", "remove", "promote", "demote"] as const) {
      const name = `${by.userId} ${kind}`;
      const made = (counted.get(name) ?? 0) - (toldBefore.get(name) ?? 0);
      const others = by === first ? [] : done.filter((operation) => operation.by === by && operation.kind === kind);
      expect([name, made]).toEqual([name, others.length]);
    }
  }
  for (const { client } of [...admins, ...goers, ...risers, ...comers]) await client.close();
}, 400_000);
