// What a server can do while a device is linked, and afterwards: read nothing, put no device of its own in, and stop what it likes. Nothing
// is linked then, and both sides say why.

import { afterAll, beforeAll, expect, test } from "vitest";
import { ClientError, type HttpRequest, type HttpResponse, type LinkAsked } from "#client";
import { generateKeyPair, LABELS, labelled, sign, systemRandom } from "#crypto";
import { type AccountState, OUR_CAPABILITIES } from "#identity";
import {
  type ApproverMet,
  beginLink,
  type Newcomer,
  type NewcomerRevealed,
  offerLink,
  openOffer,
  openReveal,
  type Outcome,
  revealDevice,
} from "#protocol";
import {
  type Bytes,
  decodeAccountLog,
  decodeLinkRequest,
  decodeLogEntry,
  encodeAccountLog,
  encodeLinkRequest,
  encodeLogEntry,
  encodeNotice,
  parseDeviceId,
  parseMessageId,
  parseRegistrationId,
  parseRendezvousId,
  pathOf,
  toHex,
} from "#wire";
import { found } from "../../support/accounts.ts";
import { platformNetwork } from "../../../client/transport/platform.ts";
import { altered, type Answer, flipped, is, made } from "./liar.ts";
import { append, keyOf, preKeysOf, writeDevice } from "./second-device.ts";
import { PATIENCE, type Person, START_TIMEOUT, Town } from "./town.ts";

const TWO_MINUTES = 121_000;

let town: Town;
beforeAll(async () => {
  town = await Town.open({ EDGEWISE_BENCH: "edgewise" });
}, START_TIMEOUT);
afterAll(() => town.close());

function codeOf(error: unknown): string {
  return error instanceof ClientError ? error.code : String(error);
}

interface Ends {
  /** The new device's id, or a code. */
  readonly inside: Promise<unknown>;
  readonly outside: Promise<unknown>;
}

/** With the digits as they are shown. */
async function begin(inside: Person, outside: Person): Promise<Ends> {
  const { link, digits, done } = await outside.client.devices.requestLink({ name: "laptop" });
  const approved = inside.client.devices.approveLink(found(link), { digits: () => digits });
  return { inside: approved.then(({ deviceId }) => deviceId, codeOf), outside: done.then(({ deviceId }) => deviceId, codeOf) };
}

async function linked(inside: Person, outside: Person): Promise<readonly unknown[]> {
  const ends = await begin(inside, outside);
  return await Promise.all([ends.inside, ends.outside]);
}

async function devicesOf({ client }: Person): Promise<readonly number[]> {
  return (await client.devices.list()).map(({ deviceId }) => deviceId);
}

/** Which blob a request is about. */
function blobIn(request: HttpRequest): string | undefined {
  if (!is(request, "putLinkBlob") && !is(request, "takeLinkBlob")) return undefined;
  return `${request.method} ${request.url.slice(-1)}`;
}

async function asking({ client }: Person): Promise<LinkAsked> {
  await expect.poll(() => client.devices.requests.value.length, PATIENCE).toBeGreaterThan(0);
  return found(client.devices.requests.value.at(-1));
}

test("a blob that is changed on its way links nothing, whichever it is", async () => {
  const alice = await town.newcomer("alice");
  const changing =
    (which: string): Answer =>
    (request, next) =>
      blobIn(request) === which ? altered(next, (body) => flipped(body, body.length - 1)) : next();
  for (const which of ["GET 1", "GET 2", "GET 3"]) {
    const laptop = await town.stranger();
    (which === "GET 2" ? laptop : alice).liar.answer = changing(which);
    const { inside, outside } = await begin(alice, laptop);
    // Also of what the new device was offered: what it then says is about another offer.
    expect([which, await inside]).toEqual([which, "untrusted-link"]);
    // It waits for what never comes, and gives up when the time is over.
    laptop.clock.moveOn(TWO_MINUTES);
    expect(await outside).toBe("link-expired");
    expect(laptop.client.state).toBe("new");
    alice.liar.becomeHonest();
  }
  expect(await devicesOf(alice)).toEqual([1]);
});

test("an answer that is changed, or repeated from another link, is none: the device is in the log, in the open, and can be put out", async () => {
  const alice = await town.newcomer("alice");
  const laptop = await town.stranger();
  laptop.liar.answer = (request, next) => (blobIn(request) === "GET 4" ? altered(next, (body) => flipped(body, 30)) : next());
  const [inside, outside] = await linked(alice, laptop);
  expect([inside, outside]).toEqual([2, "untrusted-link"]);
  expect(laptop.client.state).toBe("new");
  expect(await devicesOf(alice)).toEqual([1, 2]);
  await expect.poll(() => alice.notices(), PATIENCE).toEqual(["device-added"]);
  await alice.client.devices.revoke(2);
  expect(await devicesOf(alice)).toEqual([1]);
});

/** What a server plays to both, in the place of each. */
class Between {
  readonly #victim: Person;
  readonly #account: AccountState;
  readonly #own: Newcomer;
  #commitment: Bytes | undefined;
  #met: ApproverMet | undefined;
  revealed: NewcomerRevealed | undefined;

  constructor(victim: Person, account: AccountState) {
    this.#victim = victim;
    this.#account = account;
    this.#own = beginLink({ kind: "request", userId: account.userId }, seconds(), systemRandom);
  }

  /** To the new device it is the account's device. */
  readonly answer: Answer = async (request, next) => {
    if (is(request, "requestLink") && request.body instanceof Uint8Array) {
      const { rendezvousId, commitment } = decodeLinkRequest(request.body);
      this.#commitment = commitment;
      const ticket = { rendezvousId, commitment, secret: undefined };
      const input = { ticket, commitment, account: this.#account, signer: parseDeviceId(1), nowSeconds: seconds() };
      const offered = done(offerLink(input, systemRandom));
      this.#offer = offered.output;
      this.#offered = offered.state;
      return made(202, new Uint8Array(0));
    }
    switch (blobIn(request)) {
      case "PUT 1":
        return made(204, new Uint8Array(0));
      case "GET 2":
        return made(200, found(this.#offer));
      case "PUT 3":
        if (request.body instanceof Uint8Array) this.#met = done(openReveal(found(this.#offered), request.body, seconds())).state;
        return made(204, new Uint8Array(0));
      case "GET 4":
        return made(404, { code: "not-found" });
      default:
        return await next();
    }
  };
  #offer: Bytes | undefined;
  #offered: Parameters<typeof openReveal>[0] | undefined;

  get sawTheVictim(): boolean {
    return this.#met?.said.name === "laptop" && this.#commitment !== undefined && this.#victim.client.state === "new";
  }

  /** To the account's device it is the new one: it asks, and reveals a device of its own. */
  async ask(): Promise<void> {
    const { rendezvousId, commitment } = this.#own.ticket;
    await this.#put(1, commitment);
    const { userId } = this.#account;
    const request = { method: "POST", body: encodeLinkRequest({ rendezvousId, commitment }), type: "application/x-protobuf" };
    await this.#say(pathOf("requestLink", { userId }), request);
    const offer = await this.#take(2);
    const met = done(openOffer(this.#own, offer, seconds()));
    const { deviceId } = met.output;
    const device = {
      deviceId,
      identity: generateKeyPair(systemRandom),
      registrationId: parseRegistrationId(1),
      capabilities: OUR_CAPABILITIES,
    };
    const preKeys = { set: { ...preKeysOf(userId, device), oneTime: [] }, oneTimePreKeys: [] };
    const revealed = done(revealDevice(met.state, { device, name: "laptop", preKeys, nowSeconds: seconds() }, systemRandom));
    this.revealed = revealed.state;
    await this.#put(3, revealed.output.blob);
  }

  async #put(blob: number, body: Bytes): Promise<void> {
    const path = pathOf("putLinkBlob", { rendezvousId: this.#own.ticket.rendezvousId, blob: String(blob) });
    await this.#say(path, { method: "PUT", body, type: "application/octet-stream" });
  }

  async #take(blob: number): Promise<Bytes> {
    const path = pathOf("takeLinkBlob", { rendezvousId: this.#own.ticket.rendezvousId, blob: String(blob) });
    for (;;) {
      const answer = await this.#say(path, { method: "GET", body: undefined, type: undefined });
      if (answer.status === 200) return answer.body;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async #say(
    path: string,
    input: { readonly method: string; readonly body: Bytes | undefined; readonly type: string | undefined },
  ): Promise<HttpResponse> {
    const { origin } = new URL(found(this.#victim.liar.asked[0]).url);
    const headers: Record<string, string> = input.type === undefined ? {} : { "content-type": input.type };
    const { method, body } = input;
    return await platformNetwork.request({ method, url: `${origin}${path}`, headers, body, signal: AbortSignal.timeout(10_000) });
  }
}

function done<State, Output>(outcome: Outcome<State, Output>): Extract<Outcome<State, Output>, { readonly kind: "done" }> {
  if (outcome.kind === "refused") throw new Error(outcome.code);
  return outcome;
}

function seconds(): number {
  return Math.floor(Date.now() / 1000);
}

test("a server that stands between the two devices has other digits on either side: it sees the new device's name, and gets in nowhere", async () => {
  const alice = await town.newcomer("alice");
  await alice.client.connect();
  const laptop = await town.stranger();
  const between = new Between(laptop, (await keyOf(alice)).account);
  laptop.liar.answer = between.answer;
  const { digits, done: ended } = await laptop.client.devices.requestLink({ name: "laptop", account: alice.client.account.link });
  const asks = between.ask();
  const approved = alice.client.devices.approveLink(await asking(alice), { digits: () => digits });
  await asks;
  expect(await approved.then(() => "linked", codeOf)).toBe("wrong-digits");
  expect(between.sawTheVictim).toBe(true);
  expect(await devicesOf(alice)).toEqual([1]);
  laptop.clock.moveOn(TWO_MINUTES);
  expect(await ended.catch(codeOf)).toBe("link-expired");
  expect(laptop.client.state).toBe("new");
});

test("a request that nobody makes is only shown; what is repeated is shown once, and what is answered too late is over", async () => {
  const [alice, bob] = await town.friends();
  const request = {
    kind: "link-requested",
    rendezvousId: parseRendezvousId(toHex(systemRandom(32))),
    commitment: systemRandom(32),
  } as const;
  const send = (notice: typeof request): void => {
    const envelope = { type: "notice", messageId: newMessageId(), content: encodeNotice({ notice }), ephemeral: true } as const;
    alice.liar.send({ kind: "deliver", guid: 1, envelope, serverTimestamp: Date.now() });
  };
  for (let i = 0; i < 3; i++) send(request);
  // Behind them, over the same socket.
  await bob.send(alice, "are you there?");
  await bob.client.settled();
  await expect.poll(() => alice.readNew(bob), PATIENCE).toEqual(["are you there?"]);
  const asked = await asking(alice);
  expect(alice.client.devices.requests.value).toHaveLength(1);
  // Nothing is met, sent or signed for it by itself.
  expect([alice.liar.count("takeLinkBlob"), alice.liar.count("putLinkBlob"), alice.liar.count("appendLog")]).toEqual([0, 0, 0]);
  // Where nobody has been, nobody is waited for.
  expect(await alice.client.devices.approveLink(asked, { digits: "000000" }).catch(codeOf)).toBe("link-expired");
  expect(alice.liar.count("takeLinkBlob")).toBe(1);
  expect(await alice.client.devices.approveLink(asked, { digits: "000000" }).catch(codeOf)).toBe("link-expired");
  for (let i = 0; i < 20; i++) send({ ...request, rendezvousId: parseRendezvousId(toHex(systemRandom(32))) });
  await expect.poll(() => alice.client.devices.requests.value.length, PATIENCE).toBe(8);
  for (const one of alice.client.devices.requests.value) one.dismiss();
  expect(alice.client.devices.requests.value).toEqual([]);
  expect(await devicesOf(alice)).toEqual([1]);
});

function newMessageId(): ReturnType<typeof parseMessageId> {
  return parseMessageId(crypto.randomUUID());
}

test("a new device is not told that it is in an account whose log does not have it, or is an older one", async () => {
  const alice = await town.newcomer("alice");
  for (const shown of [
    (entries: readonly Bytes[]) => entries.slice(0, -1),
    (entries: readonly Bytes[]) => [...entries.slice(0, -1), flipped(found(entries.at(-1)), 40)],
    () => [],
  ]) {
    const laptop = await town.stranger();
    laptop.liar.answer = (request, next) =>
      is(request, "getLog") ? altered(next, (body) => encodeAccountLog({ entries: shown(decodeAccountLog(body).entries) })) : next();
    const [inside, outside] = await linked(alice, laptop);
    expect([typeof inside, outside]).toEqual(["number", "untrusted-link"]);
    expect(laptop.client.state).toBe("new");
    await alice.client.devices.revoke(Number(inside));
  }
});

test("an account is not restored from a log that is older than its recovery key, and a lost answer is no second recovery", async () => {
  const alice = await town.newcomer("alice");
  const key = await alice.client.recovery.create();
  const fresh = await town.stranger();
  fresh.liar.answer = (request, next) =>
    is(request, "getRecoveryLog")
      ? altered(next, (body) => encodeAccountLog({ entries: decodeAccountLog(body).entries.slice(0, 1) }))
      : next();
  expect(await fresh.client.recovery.restore(key).catch(codeOf)).toBe("wrong-recovery-key");
  fresh.liar.answer = async (request, next) => {
    const answer = await next();
    return is(request, "recoverAccount") ? made(503, { code: "unavailable" }) : answer;
  };
  expect(await fresh.client.recovery.restore(key).catch(codeOf)).toBe("server-failed");
  expect(fresh.client.state).toBe("new");
  fresh.liar.becomeHonest();
  await fresh.restart();
  expect((await fresh.client.recovery.restore(key)).deviceId).toBe(2);
  expect(await devicesOf(fresh)).toEqual([2]);
  expect((await keyOf(fresh)).entries).toHaveLength(3);
});

test("a device that the server invents is not listed among our own, and one that was seen cannot be hidden", async () => {
  const alice = await town.newcomer("alice");
  const key = await keyOf(alice);
  const other = await keyOf(await town.newcomer("other"));
  // Good but for who has signed it.
  const { entry } = writeDevice(key);
  const { statement, countersignature } = decodeLogEntry(entry);
  const signature = sign(other.first.identity.privateKey, labelled(LABELS.SIGN_LOG_ENTRY, statement), systemRandom);
  const forged = encodeLogEntry({ statement, signature, countersignature });
  alice.liar.answer = (request, next) => (is(request, "getLog") ? altered(next, () => encodeAccountLog({ entries: [forged] })) : next());
  expect(await alice.client.devices.list().catch(codeOf)).toBe("untrusted-keys");
  alice.liar.becomeHonest();
  expect(await devicesOf(alice)).toEqual([1]);
  // One of its own, which the server hides from then on: what was seen stays seen.
  await append(alice, writeDevice(key));
  expect(await devicesOf(alice)).toEqual([1, 2]);
  alice.liar.answer = (request, next) => (is(request, "getLog") ? altered(next, () => encodeAccountLog({ entries: [] })) : next());
  expect(await devicesOf(alice)).toEqual([1, 2]);
});

test("a link that comes in a message is text: nothing is asked where it leads, by any of our programs", async () => {
  const [alice, bob] = await town.friends();
  const laptop = await town.stranger();
  const end = new AbortController();
  const { link: shown, done } = await laptop.client.devices.requestLink({ name: "yours", signal: end.signal });
  const before = alice.liar.asked.length;
  await bob.send(alice, found(shown));
  await expect.poll(() => alice.readNew(bob), PATIENCE).toEqual([shown]);
  await alice.client.settled();
  expect(alice.liar.asked.slice(before).filter(({ url }) => url.includes("/v1/link"))).toEqual([]);
  end.abort(new ClientError("closed"));
  expect(await done.catch(codeOf)).toBe("closed");
});

test("a device that was let in is shown as new on every device for seven days, and to contacts, whoever let it in", async () => {
  const [alice, bob] = await town.friends();
  const laptop = await town.stranger();
  const { link: shown, digits, done } = await laptop.client.devices.requestLink({ name: "laptop" });
  await alice.client.devices.approveLink(found(shown), { digits: () => digits });
  await done;
  await laptop.client.connect();
  await bob.send(alice, "who is there?");
  await expect.poll(() => bob.notices(), PATIENCE).toContain("device-added");
  await expect.poll(() => alice.notices(), PATIENCE).toContain("device-added");
  const day = 24 * 3600_000;
  for (const person of [alice, laptop]) {
    const marks = async (): Promise<readonly boolean[]> => (await person.client.devices.list()).map(({ isNew }) => isNew);
    expect(await marks()).toEqual([false, true]);
    person.clock.moveOn(7 * day - 3600_000);
    expect(await marks()).toEqual([false, true]);
    person.clock.moveOn(2 * 3600_000);
    expect(await marks()).toEqual([false, false]);
  }
});

test("a device that never finishes leaves nothing behind, and one that is answered while the account changes begins again", async () => {
  const alice = await town.newcomer("alice");
  const laptop = await town.stranger();
  laptop.liar.answer = (request, next) => (blobIn(request) === "PUT 3" ? new Promise(() => undefined) : next());
  const { link } = await laptop.client.devices.requestLink({ name: "laptop" });
  const approved = alice.client.devices.approveLink(found(link), { digits: "000000" });
  await expect.poll(() => alice.liar.asked.filter((one) => blobIn(one) === "GET 3").length, PATIENCE).toBeGreaterThan(0);
  alice.clock.moveOn(TWO_MINUTES);
  expect(await approved.catch(codeOf)).toBe("link-expired");
  expect(await devicesOf(alice)).toEqual([1]);

  const tablet = await town.stranger();
  const request = await tablet.client.devices.requestLink({ name: "tablet" });
  const digits = async (): Promise<string> => {
    // Meanwhile another device has named a recovery key.
    await alice.client.recovery.create();
    return await request.digits;
  };
  expect(await alice.client.devices.approveLink(found(request.link), { digits }).catch(codeOf)).toBe("link-expired");
  expect(await request.done.catch(codeOf)).toBe("link-refused");
  expect(await devicesOf(alice)).toEqual([1]);
  expect(await linked(alice, await town.stranger())).toEqual([2, 2]);
});

test("an account has room for six devices, whoever asks", async () => {
  const alice = await town.newcomer("alice");
  for (let devices = 1; devices < 6; devices++) {
    expect(await devicesOf(alice)).toHaveLength(devices);
    await append(alice, writeDevice(await keyOf(alice)));
  }
  const seventh = await town.stranger();
  const { link, done } = await seventh.client.devices.requestLink({ name: "seventh" });
  expect(await alice.client.devices.approveLink(found(link), { digits: "000000" }).catch(codeOf)).toBe("devices-full");
  seventh.clock.moveOn(TWO_MINUTES);
  expect(await done.catch(codeOf)).toBe("link-expired");
});

test("a program that ends right after it has let a device in tells it all the same, at the next start", async () => {
  const [alice, bob] = await town.friends();
  const laptop = await town.stranger();
  let isAnswered = false;
  alice.liar.answer = async (request, next) => {
    if (isAnswered && is(request, "getLog")) return await new Promise<HttpResponse>(() => undefined);
    const answer = await next();
    isAnswered ||= blobIn(request) === "PUT 4";
    return answer;
  };
  const { outside } = await begin(alice, laptop);
  expect(await outside).toBe(2);
  await laptop.client.connect();
  expect((await laptop.client.contacts.find(bob.userId)).contact).toBe("none");
  alice.liar.becomeHonest();
  await alice.restart();
  await alice.client.connect();
  await expect.poll(async () => (await laptop.client.contacts.find(bob.userId)).contact, PATIENCE).toBe("accepted");
  await expect.poll(async () => (await alice.client.devices.list()).map(({ name }) => name), PATIENCE).toEqual(["", "laptop"]);
});

test("a revocation that the server keeps to itself comes out with the next message of its owner, and the device gets nothing more", async () => {
  const [alice, bob] = await town.friends();
  const laptop = await town.stranger();
  expect(await linked(alice, laptop)).toEqual([2, 2]);
  await laptop.client.connect();
  await bob.send(alice, "to both");
  await bob.client.settled();
  await expect.poll(() => laptop.read(bob), PATIENCE).toEqual(["to both"]);
  bob.liar.answer = (request, next) => (isAbout(request, alice) ? altered(next, () => encodeAccountLog({ entries: [] })) : next());
  await alice.client.devices.revoke(2);
  await alice.send(bob, "I have lost it");
  await alice.client.settled();
  await expect.poll(() => bob.read(alice), PATIENCE).toContain("I have lost it");
  const message = await bob.send(alice, "only for you");
  await expect.poll(() => bob.client.settled().catch(codeOf), PATIENCE).toBe("log-withheld");
  expect(await laptop.read(bob)).toEqual(["to both"]);
  bob.liar.becomeHonest();
  await bob.client.settled();
  expect(await bob.state(message)).toBe("sent");
  await expect.poll(() => laptop.client.connection.value.error, PATIENCE).toBe("device-removed");
  expect(await laptop.read(bob)).toEqual(["to both"]);
});

function isAbout(request: HttpRequest, { userId }: Person): boolean {
  return is(request, "getLog") && request.url.includes(userId);
}
