import { expect, test } from "vitest";
import { type Body, type Content, type DeviceAddress, parseDeviceId, parseMessageId, parseUserId, serviceIdOfDevice } from "#wire";
import { type Channel, type Relation, validateIncoming } from "../../../client/receiving/validator.ts";

const alice: DeviceAddress = { userId: parseUserId("11111111-1111-8111-8111-111111111100"), deviceId: parseDeviceId(1) };
const bob: DeviceAddress = { userId: parseUserId("22222222-2222-8222-8222-222222222200"), deviceId: parseDeviceId(2) };
const head = { length: 1, hash: new Uint8Array(32) };
const messageId = parseMessageId("33333333-3333-4333-8333-333333333333");
const groupId = "aa".repeat(32) as Extract<Body, { kind: "sender-key" }>["groupId"]; // 64 hexadecimal digits

const BODIES: { readonly [Kind in Body["kind"]]: Extract<Body, { readonly kind: Kind }> } = {
  text: { kind: "text", text: "hi", replyTo: undefined, attachments: [] },
  edit: { kind: "edit", messageId, text: "ho" },
  delete: { kind: "delete", messageId },
  reaction: { kind: "reaction", target: { author: bob.userId, messageId }, emoji: "+" },
  receipt: { kind: "receipt", receipt: "read", messageIds: [messageId] },
  typing: { kind: "typing", on: true },
  "presence-query": { kind: "presence-query", leaseSeconds: 60 },
  "presence-answer": { kind: "presence-answer", online: true },
  profile: { kind: "profile", name: "A", avatar: undefined },
  accept: { kind: "accept", deliverySecret: new Uint8Array(32) },
  sync: { kind: "sync", sync: { kind: "read", messages: [] } },
  nothing: { kind: "nothing" },
  "decryption-error": { kind: "decryption-error", error: new Uint8Array(1) },
  "group-change": { kind: "group-change", groupId, version: 1, stateHash: new Uint8Array(32), groupSecret: undefined },
  "group-join": { kind: "group-join", request: new Uint8Array(1) },
  "sender-key": { kind: "sender-key", groupId, distribution: new Uint8Array(1) },
};
const CHANNELS: readonly Channel[] = ["queued", "ephemeral"];
const RELATIONS: readonly Relation[] = ["self", "none", "request", "accepted", "blocked"];

/** What may be said, written out: everything else must be refused. */
const ALLOWED: ReadonlySet<string> = new Set([
  ...["text", "edit", "delete", "reaction", "profile", "accept", "nothing", "group-join"].flatMap((kind) =>
    ["none", "request", "accepted"].map((relation) => `${kind} queued ${relation}`),
  ),
  "nothing queued self",
  "sync queued self",
  "receipt queued accepted",
  "typing ephemeral accepted",
  "presence-query ephemeral accepted",
  "presence-answer ephemeral accepted",
]);

function contentOf(body: Body, channel: Channel): Content {
  return {
    sender: serviceIdOfDevice(alice),
    senderHead: head,
    position: channel === "queued" && body.kind !== "nothing" ? { counter: 1, previousHash: undefined } : undefined,
    messageId,
    sentAt: 1,
    conversation: { kind: "direct", recipient: bob.userId, recipientHead: head },
    body,
  };
}

function verdict(body: Body, channel: Channel, relation: Relation, change: Partial<Content> = {}): string | undefined {
  const content = { ...contentOf(body, channel), ...change };
  const copy = { recipientDevice: bob.deviceId, content: new Uint8Array(0) };
  return validateIncoming({ copy, content, sender: alice, own: bob, channel, relation });
}

test("every kind of content over every channel from everybody: what the table does not allow is refused", () => {
  for (const body of Object.values(BODIES)) {
    for (const channel of CHANNELS) {
      for (const relation of RELATIONS) {
        const name = `${body.kind} ${channel} ${relation}`;
        expect([name, verdict(body, channel, relation)]).toEqual([name, ALLOWED.has(name) ? undefined : "not-allowed"]);
      }
    }
  }
});

test("a content that names another sender, recipient, device or conversation than what authenticated it is refused", () => {
  const { text } = BODIES;
  expect(verdict(text, "queued", "accepted", { sender: serviceIdOfDevice(bob) })).toBe("wrong-sender");
  const elsewhere = { kind: "direct", recipient: alice.userId, recipientHead: head } as const;
  expect(verdict(text, "queued", "accepted", { conversation: elsewhere })).toBe("wrong-conversation");
  const group = { kind: "group", groupId, version: 1, stateHash: new Uint8Array(32) } as const;
  expect(verdict(text, "queued", "accepted", { conversation: group })).toBe("wrong-conversation");
  const incoming = { content: contentOf(text, "queued"), sender: alice, own: bob, channel: "queued", relation: "accepted" } as const;
  expect(validateIncoming({ ...incoming, copy: { recipientDevice: undefined, content: new Uint8Array(0) } })).toBe("wrong-recipient");
  expect(validateIncoming({ ...incoming, copy: { recipientDevice: parseDeviceId(3), content: new Uint8Array(0) } })).toBe(
    "wrong-recipient",
  );
});

test("what has a place in the conversation must say it, and what has none must not", () => {
  expect(verdict(BODIES.text, "queued", "accepted", { position: undefined })).toBe("not-allowed");
  const first = { counter: 1, previousHash: undefined };
  expect(verdict(BODIES.typing, "ephemeral", "accepted", { position: first })).toBe("not-allowed");
  // What only one device gets would be a gap to the others, and a state may be told again.
  expect(verdict(BODIES.nothing, "queued", "accepted", { position: first })).toBe("not-allowed");
  const changed = { readReceiptsChanged: 1, typingChanged: 1, presenceChanged: 1 };
  const settings = { kind: "settings", readReceipts: true, typing: true, presence: true, ...changed } as const;
  expect(verdict({ kind: "sync", sync: settings }, "queued", "self", { position: first })).toBe("not-allowed");
  expect(verdict({ kind: "sync", sync: settings }, "queued", "self", { position: undefined })).toBe(undefined);
  expect(verdict(BODIES.sync, "queued", "self", { position: undefined })).toBe("not-allowed");
});
