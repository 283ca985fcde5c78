// What an archive may hold, record by record.

import { expect, test } from "vitest";
import { be32, type Bytes, concat, encodeHistoryMessage, parseGroupId, parseMessageId, parseUserId, WireError } from "#wire";
import { frameHeader, frameMessage, messagesIn } from "../../../client/history/archive.ts";
import type { MessageRecord } from "../../../client/records/tables.ts";
import { found } from "../../support/accounts.ts";

const own = parseUserId("11111111-1111-8111-8111-111111111100");
const bob = parseUserId("22222222-2222-8222-8222-222222222200");
const carol = parseUserId("33333333-3333-8333-8333-333333333300");
const group = parseGroupId("0a".repeat(32));
const header = { userId: own, archiveId: new Uint8Array(16).fill(7), file: 3 };

const theirs: MessageRecord = {
  id: parseMessageId("44444444-4444-4444-8444-444444444444"),
  conversation: bob,
  ordinal: 9,
  author: bob,
  text: "hello",
  sentAt: 1_700_000_000_000,
  state: "received",
  error: undefined,
  replyTo: undefined,
  history: [],
  editedAt: undefined,
  deleted: false,
  reactions: {},
  gapBefore: true,
  announced: true,
  seen: false,
};
const ours: MessageRecord = { ...theirs, author: own, state: "read", seen: true, gapBefore: false };

async function* inPieces(bytes: Bytes, length: number): AsyncGenerator<Bytes, void, undefined> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

async function read(bytes: Bytes, expected = header, length = 7): Promise<readonly unknown[] | string> {
  const messages: unknown[] = [];
  try {
    for await (const message of messagesIn(inPieces(bytes, length), expected)) messages.push(message);
    return messages;
  } catch (error) {
    return error instanceof WireError ? error.code : String(error);
  }
}

function archived(...messages: readonly MessageRecord[]): Bytes {
  return concat(frameHeader(header), ...messages.map((message) => found(frameMessage(message))));
}

test("what was said comes back as it was, in whatever pieces", async () => {
  const said = [
    theirs,
    ours,
    {
      ...ours,
      conversation: group,
      text: "edited",
      history: [{ text: "before", sentAt: 5 }],
      editedAt: 6,
      replyTo: { author: carol, id: theirs.id },
      reactions: { [bob]: { emoji: "!", sentAt: 7 } },
      receipts: { [carol]: "delivered" as const },
    },
    { ...theirs, conversation: group, author: carol, deleted: true, text: "" },
  ];
  const expected = said.map(({ ordinal: _, ...message }) => message);
  for (const length of [1, 7, 10_000]) expect(await read(archived(...said), header, length)).toEqual(expected);
});

test("what is still on its way from a device is its own, and what it has queued is said to be sent", async () => {
  const file = { name: "a", mime: "b/c", size: 1, width: 0, height: 0, thumbhash: new Uint8Array(0) };
  const waiting = { ...file, key: new Uint8Array(32), digest: new Uint8Array(32), stored: undefined };
  expect(frameMessage({ ...ours, state: "failed" })).toBeUndefined();
  expect(frameMessage({ ...ours, attachments: [waiting] })).toBeUndefined();
  expect(await read(archived({ ...ours, state: "queued" }))).toMatchObject([{ state: "sent" }]);
});

test("what nobody of this account can have shown is refused: others' words as ours, ours as others', somebody in a conversation of two others", async () => {
  for (const wrong of [
    { ...ours, author: bob },
    { ...theirs, author: own },
    { ...theirs, author: carol },
  ] as const) {
    expect(await read(archived(theirs, wrong))).toBe("bad-value");
  }
});

test("a file of another account, archive or place is refused, and one that was cut or has a record that is too long or none", async () => {
  const good = archived(theirs, ours);
  expect(await read(good, { ...header, userId: bob })).toBe("bad-value");
  expect(await read(good, { ...header, archiveId: new Uint8Array(16) })).toBe("bad-value");
  expect(await read(good, { ...header, file: 2 })).toBe("bad-value");
  expect(await read(good.slice(0, -1))).toBe("truncated");
  expect(await read(new Uint8Array(0))).toBe("truncated");
  expect(await read(concat(good, be32(0xffff_ffff)))).toBe("too-long");
  expect(await read(concat(good, be32(0)))).toBe("missing-field");
  expect(await read(concat(frameHeader(header), frameHeader(header)))).toBeTypeOf("string");
});

test("of a message that was taken back nothing is left, whatever stands in the archive", async () => {
  const said = {
    messageId: ours.id,
    author: own,
    sentAt: 1,
    state: "sent",
    text: "secret",
    replyTo: undefined,
    edits: [{ text: "secret", sentAt: 1 }],
    editedAt: 2,
    deleted: true,
    reactions: [{ by: bob, emoji: "!", sentAt: 1 }],
    gapBefore: false,
    announced: true,
    seen: true,
    receipts: [],
    attachments: [],
    conversation: { kind: "person", userId: bob },
  } as const;
  const record = encodeHistoryMessage(said);
  const [message] = await read(concat(frameHeader(header), be32(record.length), record));
  expect(message).toMatchObject({ deleted: true, text: "", history: [], reactions: {} });
});
