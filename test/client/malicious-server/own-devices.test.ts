// What drives somebody's own devices, said by others: a contact, a stranger, and a device that its owner has revoked. Every kind of it is
// ignored, and nothing is fetched because of it. And what a server can do between devices of one account.

import { afterAll, beforeAll, expect, test } from "vitest";
import { type Client, ClientError, createClient, type GroupConversation } from "#client";
import { generateKeyPair, systemRandom } from "#crypto";
import { setRecoveryKey } from "#identity";
import {
  type Bytes,
  encodeAccountLog,
  encodeGroupState,
  encodeContent,
  parseDeviceId,
  parseMediaId,
  serviceIdOfDevice,
  type Sync,
  type UserId,
} from "#wire";
import { memory, SharedMemory } from "edgewise/store/memory";
import { drawMessageId, next } from "../../../client/core.ts";
import { OWN } from "../../../client/records/tables.ts";
import { Vault } from "../../../client/records/vault.ts";
import { addJob } from "../../../client/sending/queue.ts";
import { found } from "../../support/accounts.ts";
import { addSecondDevice, revokeDevice } from "../devices/second-device.ts";
import { groupOf, insiderOf } from "./insider.ts";
import { is, isMessage, made } from "./liar.ts";
import { keyOf } from "./second-device.ts";
import { PATIENCE, type Person, START_TIMEOUT, Town } from "./town.ts";

let town: Town;
beforeAll(async () => {
  town = await Town.open();
}, START_TIMEOUT);
afterAll(() => town.close(), START_TIMEOUT);

type Told = Sync["sync"];

const LATER = Date.now() + 1_000_000;

/** One of each kind; a new kind does not compile without a line here. Each would change something if it were believed. */
async function everything(
  victim: Person,
  contact: Person,
  stranger: Person,
): Promise<{ readonly [Kind in Told["kind"]]: Extract<Told, { readonly kind: Kind }> }> {
  const unread = found((await victim.messages(contact)).at(-1));
  const { record } = await insiderOf(contact, await groupOf("Trap", [contact, stranger]));
  const { groupSecret } = found(record.secrets);
  const member = { userId: victim.userId, role: "member", logLength: 1 } as const;
  const members = [...record.state.members, member].toSorted((a, b) => (a.userId < b.userId ? -1 : 1));
  const archive = {
    mediaId: parseMediaId("0a".repeat(32)),
    accessSecret: new Uint8Array(32),
    key: new Uint8Array(32),
    digest: new Uint8Array(32),
    size: 1000,
    mime: "",
    name: "",
    width: 0,
    height: 0,
    thumbhash: new Uint8Array(0),
    contentDigest: undefined,
  };
  const nothing = { username: undefined, name: "", ourSecret: undefined, theirSecret: undefined } as const;
  return {
    sent: {
      kind: "sent",
      content: await contentOf(victim, contact.userId, { kind: "text", text: "I never said this", replyTo: undefined, attachments: [] }),
    },
    read: { kind: "read", messages: [{ author: contact.userId, messageId: unread.id }] },
    contact: {
      kind: "contact",
      userId: contact.userId,
      state: "verified",
      decidedMilliseconds: LATER,
      ...nothing,
      verifiedLength: 1,
      avatar: undefined,
    },
    "device-name": { kind: "device-name", deviceId: parseDeviceId(1), name: "mine" },
    profile: { kind: "profile", name: "somebody else", changedMilliseconds: LATER, avatar: archive, avatarChangedMilliseconds: LATER },
    settings: {
      ...{ kind: "settings", readReceipts: false, typing: false, presence: false },
      ...{ readReceiptsChanged: LATER, typingChanged: LATER, presenceChanged: LATER },
    },
    group: {
      kind: "group",
      state: encodeGroupState({ ...record.state, members }),
      groupSecret: groupSecret.expose().slice(),
      adminSecret: undefined,
      introduced: true,
    },
    history: { kind: "history", archiveId: new Uint8Array(16), state: "ready", messages: 1, files: [archive] },
  };
}

/** An encoded content in the name of a person's first device. */
async function contentOf(
  author: Person,
  recipient: UserId,
  body: Parameters<typeof encodeContent>[0]["body"],
  place?: { readonly counter: number; readonly previousHash: Uint8Array<ArrayBuffer> },
): Promise<Uint8Array<ArrayBuffer>> {
  const { first, account } = await keyOf(author);
  return encodeContent({
    sender: serviceIdOfDevice({ userId: author.userId, deviceId: first.deviceId }),
    senderHead: account.head,
    position: place,
    messageId: drawMessageId(systemRandom),
    sentAt: Date.now(),
    conversation: { kind: "direct", recipient, recipientHead: account.head },
    body,
  });
}

/** Through the session with the victim, as the person's program would not say it. */
async function say(person: Person, victim: Person, sync: Told): Promise<void> {
  const isPlaced = sync.kind === "sent" || sync.kind === "read";
  // Far behind everything else that they say, so that a gap would show if it counted.
  const place = isPlaced ? { counter: 1000, previousHash: new Uint8Array(32) } : undefined;
  const content = await contentOf(person, victim.userId, { kind: "sync", sync }, place);
  const vault = await Vault.open(memory({ shared: person.shared }), systemRandom);
  await vault.write(async (records) => {
    const job = {
      envelopeId: drawMessageId(systemRandom),
      kind: "content",
      only: undefined,
      copies: undefined,
      message: undefined,
    } as const;
    await addJob(records, { ...job, recipient: victim.userId, content, ordinal: await next(records, "job") });
  });
  await vault.close();
  await person.client.settled();
}

/** Everything of it that somebody sees. */
async function seenBy({ client }: Person, contact: Person): Promise<unknown> {
  const conversation = await client.conversations.direct(contact.userId);
  const { verified } = await conversation.peer.verification();
  return {
    own: [client.profile.value, client.settings.value],
    contact: [conversation.peer.contact, verified, conversation.unread],
    said: (await conversation.history()).map(({ text }) => text),
    groups: (await client.conversations.groups()).map(({ title }) => title),
  };
}

test("a contact and a stranger say every kind of what only own devices may: nothing changes, and nothing is fetched", async () => {
  const [alice, bob] = await town.friends();
  const mallory = await town.newcomer("mallory");
  await mallory.client.connect();
  await mallory.client.contacts.accept(bob.userId);
  await bob.send(alice, "unread");
  await expect.poll(() => alice.readNew(bob), PATIENCE).toEqual(["unread"]);
  const all = await everything(alice, bob, mallory);
  await alice.client.settled();
  const before = await seenBy(alice, bob);
  const asked = alice.liar.asked.length;
  for (const person of [bob, mallory]) {
    for (const sync of Object.values<Told>(all)) await say(person, alice, sync);
  }
  // Behind all of that, in the order of the mailbox.
  await mallory.send(alice, "hello");
  await mallory.client.settled();
  await expect.poll(async () => (await alice.client.contacts.listRequests()).length, PATIENCE).toBe(1);
  expect(await seenBy(alice, bob)).toEqual(before);
  // The log of the stranger, receipts, and keys in the place of those that were used: as for anything that anybody says.
  const usual = ["getLog", "sendMessages", "getKeyCounts", "putKeys"] as const;
  const fetched = alice.liar.asked.slice(asked).filter((request) => !usual.some((operation) => is(request, operation)));
  expect(fetched.map(({ url }) => url)).toEqual([]);
});

test("what a device said before it was revoked, and the server hands out afterwards, changes nothing", async () => {
  const [alice, bob] = await town.friends();
  const server = new URL(found(alice.liar.asked[0]).url).origin;
  const shared = new SharedMemory();
  await addSecondDevice(server, memory({ shared: alice.shared }), memory({ shared }));
  await using lost: Client = await createClient({ server, store: memory({ shared }) });
  await lost.connect();
  await expect.poll(async () => (await keyOf(alice)).entries.length, PATIENCE).toBe(2);
  await lost.setSettings({ presence: false });
  await expect.poll(() => alice.client.settings.value.presence, PATIENCE).toBe(false);
  const held: (() => void)[] = [];
  alice.liar.relay = (frame, pass) => {
    if (isMessage(frame)) held.push(() => pass(frame));
    else pass(frame);
  };
  await lost.setSettings({ typing: false });
  await lost.settled();
  await expect.poll(() => held.length, PATIENCE).toBeGreaterThan(0);
  await revokeDevice(server, memory({ shared: alice.shared }), parseDeviceId(2));
  await expect.poll(async () => (await keyOf(alice)).entries.length, PATIENCE).toBe(3);
  for (const hand of held) hand();
  alice.liar.becomeHonest();
  await bob.send(alice, "still there");
  await expect.poll(() => alice.readNew(bob), PATIENCE).toEqual(["still there"]);
  expect(alice.client.settings.value).toEqual({ readReceipts: true, typing: true, presence: false });
});

/** Another device of somebody's, which has heard all that it is told. */
async function link(person: Person): Promise<Person> {
  const other = await town.stranger();
  const { link: shown, digits, done } = await other.client.devices.requestLink({ name: "laptop" });
  await person.client.devices.approveLink(found(shown), { digits: () => digits });
  await done;
  await person.client.settled();
  await other.client.connect();
  return other;
}

test("a time that a stolen device makes up leaves room for what is decided later", async () => {
  const [alice] = await town.friends();
  const server = new URL(found(alice.liar.asked[0]).url).origin;
  const stolen = await link(alice);
  await stolen.client.close();
  const vault = await Vault.open(memory({ shared: stolen.shared }), systemRandom);
  await vault.write(async (records) => {
    const own = found(await records.get(OWN));
    records.put(OWN, { ...own, profileChanged: Number.MAX_SAFE_INTEGER - 2 });
  });
  await vault.close();
  await using thief = await createClient({ server, store: memory({ shared: stolen.shared }) });
  await thief.connect();
  await thief.setProfile({ name: "thief" });
  // Behind it, in the same mailbox.
  await thief.setSettings({ typing: false });
  await expect.poll(() => alice.client.settings.value.typing, PATIENCE).toBe(false);
  expect(alice.client.profile.value.name).not.toBe("thief");
  for (const name of ["Alice", "Alice A.", "Alice B."]) await alice.client.setProfile({ name });
  expect(alice.client.profile.value.name).toBe("Alice B.");
});

test("a device of an admin that an author did not know of gets the secrets from the admin's other device", async () => {
  const [bob, alice] = await town.friends();
  const carol = await town.newcomer("carol");
  await carol.client.connect();
  await carol.client.contacts.accept(bob.userId);
  const groupId = await groupOf("Old", [bob, alice, carol]);
  // Bob is shown alice's log as it was when she had one device.
  bob.liar.answer = async (request, next) =>
    is(request, "getLog") && request.url.includes(alice.userId) ? made(200, encodeAccountLog({ entries: [] })) : await next();
  const second = await link(alice);
  const group = async ({ client }: Person): Promise<GroupConversation> => await client.conversations.group(groupId);
  await expect.poll(async () => (await group(second).catch(() => undefined))?.standing, PATIENCE).toBe("member");
  await (await group(bob)).remove([carol.userId]);
  await (await group(bob)).setRole(alice.userId, "admin");
  bob.liar.becomeHonest();
  await expect.poll(async () => (await group(second)).role, PATIENCE).toBe("admin");
  await expect.poll(async () => await (await group(second)).rename("New").then(() => "renamed", codeOf), PATIENCE).toBe("renamed");
  for (const person of [alice, bob]) await expect.poll(async () => (await group(person)).title, PATIENCE).toBe("New");
  await (await group(bob)).send("for those who are left");
  await bob.client.settled();
  for (const person of [alice, second]) {
    await expect.poll(async () => (await group(person)).lastMessage?.text, PATIENCE).toBe("for those who are left");
  }
});

function codeOf(error: unknown): string {
  return error instanceof ClientError ? error.code : String(error);
}

test("two histories of one's own account, each shown to one own device, are told once, and nothing is written past them", async () => {
  const [alice, bob] = await town.friends();
  const second = await link(alice);
  await expect.poll(() => second.client.contacts.find(bob.userId).then(({ contact }) => contact), PATIENCE).toBe("accepted");
  const key = await keyOf(alice);
  // Both signed: two devices wrote at once, and the server told each that it was first.
  const named = (): Bytes => {
    const recoveryKey = generateKeyPair(systemRandom).publicKey;
    return setRecoveryKey(key.account, { recoveryKey, signer: key.first, nowSeconds: Math.floor(Date.now() / 1000) }, systemRandom);
  };
  const [shownHere, shownThere] = [named(), named()];
  for (const [device, entry] of [
    [alice, shownHere],
    [second, shownThere],
  ] as const) {
    device.liar.answer = async (request, next) => {
      if (!is(request, "getLog") || !request.url.includes(alice.userId)) return await next();
      const after = Number(new URL(request.url).searchParams.get("after"));
      return made(200, encodeAccountLog({ entries: after < key.entries.length + 1 ? [entry] : [] }));
    };
    await device.client.devices.list();
    expect((await keyOf(device)).entries).toHaveLength(key.entries.length + 1);
  }
  await alice.client.setSettings({ presence: false });
  const forks = async (person: Person): Promise<number> => (await person.notices()).filter((notice) => notice === "account-forked").length;
  await expect.poll(() => forks(second), PATIENCE).toBe(1);
  await alice.client.setSettings({ typing: false });
  await expect(second.send(bob, "secret")).rejects.toMatchObject({ code: "account-forked" });
  const asked = second.liar.count("sendMessages");
  await second.client.setSettings({ presence: true });
  await second.client.settled();
  expect(second.liar.count("sendMessages")).toBe(asked);
  expect(await forks(second)).toBe(1);
});
