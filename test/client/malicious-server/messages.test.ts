// What a server can do to messages on their way: change, repeat, reorder, keep and redirect them. It cannot make one, and what
// it does shows.

import { afterAll, beforeAll, expect, test } from "vitest";
import { type Bytes, type Deliver, parseMessageId } from "#wire";
import { flipped, isMessage, lyingAbout, made } from "./liar.ts";
import { PATIENCE, START_TIMEOUT, type Person, settles, Town } from "./town.ts";

let town: Town;
beforeAll(async () => {
  town = await Town.open();
}, START_TIMEOUT);
afterAll(() => town.close());

const MINUTE = 60_000;

/** One that the server still has to forget, and does not hand out: it is kept by the liar. */
async function kept(sender: Person, reader: Person, text: string): Promise<Deliver> {
  const caught = new Promise<Deliver>((resolve) => {
    reader.liar.relay = (frame, pass) => (isMessage(frame) ? resolve(frame) : pass(frame));
  });
  await sender.send(reader, text);
  const deliver = await caught;
  reader.liar.becomeHonest();
  return deliver;
}

function withContent(deliver: Deliver, content: Bytes): Deliver {
  return { ...deliver, envelope: { ...deliver.envelope, content } };
}

test("a message with a changed bit, wherever it is, is not shown; the honest copy still is, once", async () => {
  const [alice, bob] = await town.friends();
  const honest = await kept(alice, bob, "one");
  const { content } = honest.envelope;
  for (let at = 0; at < content.length; at += 37) bob.liar.send(withContent(honest, flipped(content, at)));
  bob.liar.send(withContent(honest, content.slice(0, -1)));
  bob.liar.send(honest);
  await expect.poll(() => bob.readNew(alice), PATIENCE).toEqual(["one"]);
  expect(await bob.notices()).toEqual([]);
});

test("a message that was destroyed is not told as delivered, and the next one says that something is missing", async () => {
  const [alice, bob] = await town.friends();
  bob.liar.relay = (frame, pass) => pass(isMessage(frame) ? withContent(frame, flipped(frame.envelope.content, 40)) : frame);
  const lost = await alice.send(bob, "lost");
  await settles(bob, 1);
  bob.liar.becomeHonest();
  const next = await alice.send(bob, "next");
  await settles(bob, 1);
  bob.clock.moveOn(MINUTE);
  await expect.poll(() => bob.readNew(alice), PATIENCE).toEqual(["~next"]);
  await expect.poll(() => alice.state(next), PATIENCE).toBe("delivered");
  expect(await alice.state(lost)).toBe("sent");
});

test("a message that comes again after it was acknowledged is shown once, also by the next program", async () => {
  const [alice, bob] = await town.friends();
  const deliver = await kept(alice, bob, "one");
  for (let again = 0; again < 3; again++) bob.liar.send({ ...deliver, guid: deliver.guid + again });
  await expect.poll(() => bob.readNew(alice), PATIENCE).toEqual(["one"]);
  await bob.restart();
  await bob.client.connect();
  bob.liar.send(deliver);
  await alice.send(bob, "two");
  await expect.poll(() => bob.readNew(alice), PATIENCE).toEqual(["one", "two"]);
  expect(await bob.notices()).toEqual([]);
});

test("the first message of a conversation that comes again begins nothing anew", async () => {
  const [alice, bob] = [await town.newcomer("alice"), await town.newcomer("bob")];
  const first: Deliver[] = [];
  bob.liar.relay = (frame, pass) => {
    if (isMessage(frame)) first.push(frame);
    pass(frame);
  };
  await alice.send(bob, "hello");
  await alice.client.settled();
  await bob.client.connect();
  await expect.poll(() => bob.client.contacts.listRequests(), PATIENCE).toHaveLength(1);
  await bob.client.contacts.block(alice.userId);
  for (const deliver of first) bob.liar.send(deliver);
  await bob.restart();
  await bob.client.connect();
  for (const deliver of first) bob.liar.send(deliver);
  await bob.client.contacts.unblock(alice.userId);
  await alice.send(bob, "still there?");
  await expect.poll(() => bob.read(alice), PATIENCE).toEqual(["hello", "still there?"]);
  expect(await bob.notices()).toEqual([]);
});

test("messages that are handed out in another order are shown in the order they were written in", async () => {
  const [alice, bob] = await town.friends();
  const caught: Deliver[] = [];
  bob.liar.relay = (frame, pass) => (isMessage(frame) ? caught.push(frame) : pass(frame));
  const texts = ["one", "two", "three", "four", "five"];
  for (const text of texts) await alice.send(bob, text);
  await expect.poll(() => caught.length, PATIENCE).toBe(5);
  bob.liar.becomeHonest();
  for (const at of [4, 2, 0, 3, 1]) if (caught[at] !== undefined) bob.liar.send(caught[at]);
  await expect.poll(() => bob.readNew(alice), PATIENCE).toEqual(texts);
});

test("a message that is withheld leaves a mark after a minute, and is shown when it comes after all", async () => {
  const [alice, bob] = await town.friends();
  const withheld = await kept(alice, bob, "one");
  await alice.send(bob, "two");
  await settles(bob, 1);
  await expect.poll(() => bob.readNew(alice), PATIENCE).toEqual([]);
  bob.clock.moveOn(MINUTE);
  await expect.poll(() => bob.readNew(alice), PATIENCE).toEqual(["~two"]);
  bob.liar.send(withheld);
  await expect.poll(() => bob.readNew(alice), PATIENCE).toEqual(["~two", "~one"]);
});

test("a message for bob that is given to carol says nothing to her, and is not lost for bob", async () => {
  const [alice, bob] = await town.friends();
  const carol = await town.newcomer("carol");
  await carol.client.connect();
  const deliver = await kept(alice, bob, "for bob");
  carol.liar.send(deliver);
  await settles(carol, 1);
  expect(await carol.client.conversations.list()).toEqual([]);
  expect(await carol.client.contacts.listRequests()).toEqual([]);
  bob.liar.send(deliver);
  await expect.poll(() => bob.readNew(alice), PATIENCE).toEqual(["for bob"]);
});

test("what a server writes on an envelope decides nothing: number, id, time and queue are its own words", async () => {
  const [alice, bob] = await town.friends();
  const deliver = await kept(alice, bob, "one");
  const messageId = parseMessageId("00000000-0000-4000-8000-000000000000");
  bob.liar.send({ ...deliver, guid: 77, serverTimestamp: 1, envelope: { ...deliver.envelope, messageId } });
  await expect.poll(() => bob.readNew(alice), PATIENCE).toEqual(["one"]);
  bob.liar.send({ ...deliver, serverTimestamp: Date.now() * 1000 });
  // Called one of now, it is dropped; it cannot be shown twice or as something else, and its absence shows.
  const hidden = await kept(alice, bob, "hidden");
  bob.liar.send({ ...hidden, envelope: { ...hidden.envelope, ephemeral: true } });
  await alice.send(bob, "two");
  await settles(bob, 4);
  bob.clock.moveOn(MINUTE);
  await expect.poll(() => bob.readNew(alice), PATIENCE).toEqual(["one", "~two"]);
});

test("a send that was answered and dropped stays without a receipt, and the next one says that something is missing", async () => {
  const [alice, bob] = await town.friends();
  alice.liar.answer = lyingAbout("sendMessages", async () => made(200, {}));
  const dropped = await alice.send(bob, "dropped");
  await expect.poll(() => alice.state(dropped), PATIENCE).toBe("sent");
  alice.liar.becomeHonest();
  const next = await alice.send(bob, "next");
  await settles(bob, 1);
  bob.clock.moveOn(MINUTE);
  await expect.poll(() => bob.readNew(alice), PATIENCE).toEqual(["~next"]);
  await expect.poll(() => alice.state(next), PATIENCE).toBe("delivered");
  expect(await alice.state(dropped)).toBe("sent");
});

test("a send that was stored and not answered is sent again and shown once", async () => {
  const [alice, bob] = await town.friends();
  let left = 3;
  alice.liar.answer = lyingAbout("sendMessages", async (_, next) => {
    const answer = await next();
    return left-- > 0 ? made(500, { code: "internal" }) : answer;
  });
  const message = await alice.send(bob, "one");
  await expect(message.sent()).rejects.toMatchObject({ code: "server-failed", retryable: true });
  for (let again = 0; again < 2; again++) await expect(alice.client.settled()).rejects.toMatchObject({ code: "server-failed" });
  await alice.client.settled();
  await expect.poll(() => bob.readNew(alice), PATIENCE).toEqual(["one"]);
});

test("a server cannot make a receipt: what was withheld is not delivered, whatever came before comes again", async () => {
  const [alice, bob] = await town.friends();
  const receipts: Deliver[] = [];
  alice.liar.relay = (frame, pass) => {
    if (isMessage(frame)) receipts.push(frame);
    pass(frame);
  };
  const first = await alice.send(bob, "one");
  await expect.poll(() => alice.state(first), PATIENCE).toBe("delivered");
  bob.liar.relay = (frame, pass) => (isMessage(frame) ? undefined : pass(frame));
  const second = await alice.send(bob, "two");
  await expect.poll(() => alice.state(second), PATIENCE).toBe("sent");
  for (const receipt of receipts) {
    alice.liar.send({ ...receipt, guid: receipt.guid + 1000 });
  }
  expect(receipts).not.toEqual([]);
  await settles(alice, 2 * receipts.length);
  expect(await alice.state(second)).toBe("sent");
});
