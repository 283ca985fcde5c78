// What a server can say about an account being deleted. Only the account's own devices can end it, so nobody believes it of others; it can hide
// that they did, until it is asked for what it no longer has.

import { afterAll, beforeAll, expect, test } from "vitest";
import { generateKeyPair, LABELS, labelled, sha256, sign, systemRandom } from "#crypto";
import { type Bytes, CLOSE, decodeAccountKeys, decodeLogEntry, encodeAccountKeys, encodeAccountLog, encodeLogEntry } from "#wire";
import { found } from "../../support/accounts.ts";
import { type Answer, altered, is, made } from "./liar.ts";
import { keyOf, logOf, writeEnd } from "./second-device.ts";
import { PATIENCE, START_TIMEOUT, Town } from "./town.ts";

let town: Town;
beforeAll(async () => {
  town = await Town.open();
}, START_TIMEOUT);
afterAll(() => town.close(), START_TIMEOUT);

/** As a server does that has heard of the end; the log that is fetched then goes on with `entries`, and has no keys. */
function claimingDeletion(entries: readonly Bytes[]): Answer {
  return async (request, next) => {
    if (is(request, "sendMessages")) return made(410, { code: "account-deleted" });
    if (!is(request, "getKeys")) return await next();
    return await altered(next, (body) => encodeAccountKeys({ ...decodeAccountKeys(body), log: { entries }, devices: [] }));
  };
}

function bySomebodyElse(entry: Bytes): Bytes {
  const { statement } = decodeLogEntry(entry);
  const signature = sign(generateKeyPair(systemRandom).privateKey, labelled(LABELS.SIGN_LOG_ENTRY, statement), systemRandom);
  return encodeLogEntry({ statement, signature, countersignature: undefined });
}

test("that somebody has deleted their account is not believed without an entry of theirs, nor with one that is not theirs", async () => {
  const [alice, bob] = await town.friends();
  const forged = bySomebodyElse(writeEnd(await keyOf(bob)));
  for (const [entries, said] of [
    [[], "devices-changing"],
    [[forged], "untrusted-keys"],
  ] as const) {
    alice.liar.answer = claimingDeletion(entries);
    const message = await alice.send(bob, `while it says so: ${said}`);
    await expect(message.sent()).rejects.toMatchObject({ code: said, retryable: true });
    expect(await alice.state(message)).toBe("queued");
    expect(await alice.notices()).not.toContain("account-deleted");
    alice.liar.becomeHonest();
    await alice.client.settled();
    await expect.poll(async () => (await bob.readNew(alice)).at(-1), PATIENCE).toBe(`while it says so: ${said}`);
  }
});

test("once the end was seen, no older log and no other entry brings the account back", async () => {
  const [alice, bob] = await town.friends();
  const key = await keyOf(bob);
  const bobsId = bob.userId;
  await bob.client.deleteAccount();
  const toBob = await alice.client.conversations.direct(bobsId);
  const message = await toBob.send("last");
  await expect(message.sent()).rejects.toMatchObject({ code: "account-deleted" });
  expect((await alice.notices()).filter((kind) => kind === "account-deleted")).toHaveLength(1);
  // Bob's key is stolen, or Bob has thought better of it: neither counts.
  const end = { length: 2, hash: sha256(found((await logOf(alice, bobsId))[1])) };
  const behind = writeEnd({ ...key, account: { ...key.account, head: end } });
  const group = await alice.client.conversations.createGroup("Nobody", []);
  for (const [entries, said] of [
    [[], "account-deleted"],
    [[behind], "untrusted-keys"],
    [key.entries, "untrusted-keys"],
  ] as const) {
    alice.liar.answer = async (request, next) =>
      is(request, "getLog") && request.url.includes(bobsId) ? made(200, encodeAccountLog({ entries })) : await next();
    await expect(group.add([bobsId])).rejects.toMatchObject({ code: said });
    await expect(toBob.send("again")).rejects.toMatchObject({ code: "account-deleted" });
  }
  expect(await logOf(alice, bobsId)).toHaveLength(2);
});

test("a server that hides the end takes messages that nobody gets: no receipt comes; when it is honest the sender is told", async () => {
  const [alice, { client, userId }] = await town.friends();
  await client.deleteAccount();
  const toBob = await alice.client.conversations.direct(userId);
  alice.liar.answer = async (request, next) => (is(request, "sendMessages") ? made(200, {}) : await next());
  const message = await toBob.send("into the void");
  await alice.client.settled();
  expect(await alice.state(message)).toBe("sent");
  expect(await alice.notices()).not.toContain("account-deleted");
  alice.liar.becomeHonest();
  await expect((await toBob.send("and now?")).sent()).rejects.toMatchObject({ code: "account-deleted" });
  expect(await alice.state(message)).toBe("sent");
});

test("a device that is told that its account was deleted stops and keeps everything; when that was a lie it goes on", async () => {
  const [alice, bob] = await town.friends();
  const before = await bob.read(alice);
  bob.liar.closeSocket(CLOSE.deleted.code);
  expect(bob.client.connection.value).toMatchObject({ status: "offline", error: "own-account-deleted" });
  bob.liar.answer = async (request, next) => {
    if (is(request, "createToken")) return made(410, { code: "account-deleted" });
    return is(request, "createChallenge") ? await next() : made(401, { code: "unauthorized" });
  };
  await bob.restart();
  const message = await bob.send(alice, "not now");
  await expect(message.sent()).rejects.toMatchObject({ code: "own-account-deleted" });
  expect((await bob.read(alice)).slice(0, -1)).toEqual(before);
  bob.liar.becomeHonest();
  await bob.client.connect();
  await alice.send(bob, "good that you are here");
  await expect.poll(async () => (await bob.read(alice)).at(-1), PATIENCE).toBe("good that you are here");
});
