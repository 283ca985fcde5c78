// From JavaScript anything can be given. Whatever makes no sense is refused with a code of ours, and nothing of it is kept or sent.

import { afterAll, beforeAll, expect, test } from "vitest";
import { type Client, ClientError, createClient, type DirectConversation, type GroupConversation, type Message } from "#client";
import { memory } from "edgewise/store/memory";
import { HOOK_MILLISECONDS, newcomer, Place, settled } from "./groups/people.ts";

const place = new Place();
beforeAll(() => place.start(), HOOK_MILLISECONDS);
afterAll(() => place.close(), HOOK_MILLISECONDS);

const LONG = "x".repeat(70_000);
const THINGS: readonly unknown[] = [null, 7.5, true, {}, [], Symbol("nothing"), new Uint8Array(3)];
const TEXTS: readonly unknown[] = ["\ud800", LONG];

interface Situation {
  readonly client: Client;
  readonly chat: DirectConversation;
  readonly group: GroupConversation;
  readonly message: Message;
}

type Call = (at: Situation, given: never) => Promise<unknown>;

const takesText: Readonly<Record<string, Call>> = {
  name: ({ client }, given) => client.setProfile({ name: given }),
  send: ({ chat }, given) => chat.send(given),
  reply: ({ message }, given) => message.reply(given),
  edit: ({ message }, given) => message.edit(given),
  react: ({ message }, given) => message.react(given),
  draft: ({ chat }, given) => chat.setDraft(given),
  "a new group's title": ({ client }, given) => client.conversations.createGroup(given, []),
  title: ({ group }, given) => group.rename(given),
  "a device's name": ({ client }, given) => client.devices.rename(1, given),
  person: ({ client }, given) => client.contacts.find(given),
  "whom to accept": ({ client }, given) => client.contacts.accept(given),
  "whom to block": ({ client }, given) => client.contacts.block(given),
  "whom to unblock": ({ client }, given) => client.contacts.unblock(given),
  "whom to talk to": ({ client }, given) => client.conversations.direct(given),
  "whom to let in": ({ group }, given) => group.approve(given),
  group: ({ client }, given) => client.conversations.group(given),
  "member of a new group": ({ client }, given) => client.conversations.createGroup("Some", [given]),
  member: ({ group }, given) => group.add([given]),
  "whom to remove": ({ group }, given) => group.remove([given]),
  message: ({ client }, given) => client.message(given),
  cursor: ({ client }, given) => client.events({ after: given, wait: false }).next(),
  before: ({ chat }, given) => chat.history({ before: given }),
  "invite link": ({ client }, given) => client.conversations.join(given),
  "link of a device": ({ client }, given) => client.devices.approveLink(given, { digits: "000000" }),
  "recovery key": ({ client }, given) => client.recovery.create({ current: given }),
};

const takesSomethingElse: Readonly<Record<string, Call>> = {
  file: ({ chat }, given) => chat.sendFile(given),
  picture: ({ client }, given) => client.setProfile({ avatar: given }),
  "picture of a group": ({ group }, given) => group.setAvatar(given),
  role: ({ client, group }, given) => group.setRole(client.account.userId, given),
  device: ({ client }, given) => client.devices.revoke(given),
  "device to be named": ({ client }, given) => client.devices.rename(given, "x"),
  "device that gets the history": ({ client }, given) => client.devices.giveHistory(given, "all"),
  "what history": ({ client }, given) => client.devices.giveHistory(1, given),
  uses: ({ group }, given) => group.invite({ uses: given }),
  end: ({ group }, given) => group.invite({ expiresSeconds: given }),
};

async function situation(client: Client, other: string): Promise<Situation> {
  const chat = await client.conversations.direct(other);
  const message = await chat.send("hello");
  return { client, chat, message, group: await client.conversations.createGroup("Hiking", [other]) };
}

/** All that the calls could have changed. */
async function everything({ client, chat }: Situation): Promise<unknown> {
  const groups = await client.conversations.groups();
  return {
    profile: client.profile.value.name,
    settings: client.settings.value,
    devices: (await client.devices.list()).map(({ name }) => name),
    requests: await client.contacts.listRequests(),
    contact: (await client.contacts.find(chat.peer.userId)).contact,
    groups: groups.map(({ title, members }) => [title, members.map(({ role }) => role)]),
    drafts: (await client.conversations.list()).map(({ draft }) => draft),
    said: (await chat.history()).map(({ text, edited, reactions }) => [text, edited, reactions]),
  };
}

async function outcome(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "was taken";
  } catch (error) {
    return error instanceof ClientError ? error.code : String(error);
  }
}

test("what makes no sense is refused everywhere by a code, and changes nothing", async () => {
  await using alice = await newcomer(place.url, "alice");
  await using bob = await newcomer(place.url, "bob");
  const at = await situation(alice.client, bob.userId);
  await settled(alice);
  const before = await everything(at);
  const wrong: string[] = [];
  const tries = [
    ...Object.entries(takesText).map(([what, call]) => ({ what, call, all: [...THINGS, ...TEXTS] })),
    ...Object.entries(takesSomethingElse).map(([what, call]) => ({ what, call, all: [...THINGS.slice(1), ...TEXTS] })),
  ];
  for (const { what, call, all } of tries)
    for (const given of all) {
      const result = await outcome(call(at, given as never));
      if (!/^(bad-argument|too-long|unknown-[a-z]+|link-expired)$/.test(result))
        wrong.push(`${what} ${String(given).slice(0, 20)}: ${result}`);
    }
  for (const given of [1, "", {}, []])
    if ((await outcome(at.client.setSettings({ typing: given as never }))) !== "bad-argument") wrong.push(`setting ${String(given)}`);
  for (const limit of [0, -1, 0.5, Number.NaN, "1", {}])
    for (const call of [at.chat.history({ limit: limit as never }), at.client.search("hello", { limit: limit as never })])
      if ((await outcome(call)) !== "bad-argument") wrong.push(`limit ${String(limit)}`);
  expect(wrong).toEqual([]);
  expect(await everything(at)).toEqual(before);
}, 120_000);

test("words for a file that are no words are refused before the file is encrypted", async () => {
  await using alice = await newcomer(place.url, "alice");
  await using bob = await newcomer(place.url, "bob");
  const chat = await alice.client.conversations.direct(bob.userId);
  const file = new File(["some"], "some.txt");
  for (const caption of [7, {}, "\ud800"]) expect(await outcome(chat.sendFile(file, { caption: caption as never }))).toBe("bad-argument");
  expect(await outcome(chat.sendFile(file, { caption: LONG }))).toBe("too-long");
  expect(await chat.history()).toEqual([]);
  await (await chat.sendFile(file, { caption: "x".repeat(32 * 1024) })).sent();
});

test("a new account has a name that fits or none, and nobody blocks themselves", async () => {
  await using client = await createClient({ server: place.url, store: memory() });
  for (const name of [7, {}, "\ud800", "x".repeat(257)])
    expect(await outcome(client.register({ name: name as never }))).toBe("bad-argument");
  await client.register();
  expect(client.profile.value.name).toBe("");
  const { userId } = client.account;
  expect(await outcome(client.contacts.block(userId))).toBe("bad-argument");
  expect((await client.contacts.find(userId)).contact).not.toBe("blocked");
  await client.setProfile({ name: "é".repeat(128) });
  expect(client.profile.value.name).toBe("é".repeat(128));
});
