// Whatever is wrong with a request, it gets a coded refusal and leaves nothing behind.

import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, expect, test } from "vitest";
import { databasesOf } from "#durable-objects";
import { nextDeviceId } from "#identity";
import {
  type Bytes,
  concat,
  type DeviceId,
  encodeAppendLog,
  encodeGroupAppend,
  encodePreKeyUpload,
  encodeSendRequest,
  MAX_CREATE_ACCOUNT_BYTES,
  type Operation,
  parseDeviceId,
  parseMessageId,
  parseRegistrationId,
  ROUTES,
  toUtf8,
} from "#wire";
import { SERVED } from "../../workers/gateway/served.ts";
import { ownDevice } from "../support/accounts.ts";
import { SharedGroup } from "../support/shared-group.ts";
import { seededRandom } from "../support/random.ts";
import { type Asking, codeOf, openWorld, ORIGIN, Person, World } from "./support/world.ts";

let world: World;
let alice: Person;
let token: string;
let before: unknown;

beforeAll(async () => {
  world = await openWorld();
  alice = await new Person(world, 1).register();
  token = await alice.token();
});

beforeEach(async () => {
  before = await rows();
});

async function rows(): Promise<unknown> {
  const tables = ["account_log", "recovery_keys", "device_prekeys", "one_time_ec", "one_time_kem", "usernames"];
  return await Promise.all(
    databasesOf({ ...env }).flatMap((database) => tables.map((table) => database.prepare(`SELECT count(*) AS n FROM ${table}`).first("n"))),
  );
}

async function refused(operation: Operation, asking: Asking): Promise<string> {
  const parameters = { userId: alice.userId, name: "somebody", groupId: group.at.groupId, ...asking.parameters };
  const response = await world.ask(operation, { token, ...asking, parameters });
  expect(response.status).toBeGreaterThanOrEqual(400);
  expect(response.status).toBeLessThan(500);
  const code = await codeOf(response);
  expect(await rows()).toEqual(before);
  return code;
}

const group = new SharedGroup(1, ORIGIN);
const stranger = () => new Person(world, 50);

/** Good bodies, of which every part is then damaged. */
const BODIES: Readonly<Partial<Record<Operation, () => Bytes>>> = {
  createAccount: () => stranger().registration(),
  putKeys: () => encodePreKeyUpload(alice.preKeysOf(alice.owner.first, [90], [90])),
  appendLog: addition,
  sendMessages: () => messageTo([parseDeviceId(1), parseDeviceId(2)]),
  appendGroup: () => encodeGroupAppend(group.begin()),
};

/** A second device, with its prekeys. */
function addition(): Bytes {
  const device = ownDevice(alice.owner.random, nextDeviceId(alice.owner.account));
  return encodeAppendLog({ entry: alice.owner.writeAdd(device), preKeys: alice.preKeysOf(device, [1], [2]) });
}

function messageTo(devices: readonly DeviceId[]): Bytes {
  const messageId = parseMessageId("00000000-0000-4000-8000-000000000001");
  const registrationId = parseRegistrationId(1);
  const copies = devices.map((deviceId) => ({ deviceId, registrationId, content: new Uint8Array(64).fill(1) }));
  return encodeSendRequest({ messageId, scope: "some", ephemeral: false, devices: copies });
}

/** Any two values of 32 bytes are a request to link, and nothing is read before the proof of a recovery key: they have tests of their own. */
const ELSEWHERE: readonly Operation[] = ["requestLink", "recoverAccount"];
const WITH_BYTES = SERVED.filter((name) => ROUTES[name].request === "protobuf" && !ELSEWHERE.includes(name));
const WITH_JSON = SERVED.filter((name) => ROUTES[name].request === "json");

test("every route that takes bytes is here", () => {
  expect(Object.keys(BODIES).toSorted()).toEqual(WITH_BYTES.toSorted());
});

test.each(WITH_BYTES)("%s refuses bytes that are cut, longer, changed or none", async (operation) => {
  const good = BODIES[operation]?.() ?? new Uint8Array();
  const random = seededRandom(7);
  const cuts = [0, 1, 2, 10, Math.floor(good.length / 2), good.length - 1].map((length) => good.slice(0, length));
  const noise = [1, 16, 300].map((length) => random(length));
  const longer = concat(good, new Uint8Array([0]));
  const flipped = [0, 3, 40].map((at) => good.with(at, (good[at] ?? 0) ^ 0xff));
  for (const protobuf of [...cuts, ...noise, longer, ...flipped.map((bytes) => new Uint8Array(bytes))]) {
    expect(["malformed", "devices-changed", "log-conflict", "not-found"]).toContain(await refused(operation, { protobuf }));
  }
});

test.each(WITH_BYTES)("%s refuses what is too long, whatever it says of its length, and another type", async (operation) => {
  const headers = { "content-type": "application/x-protobuf" };
  const long = new Uint8Array(MAX_CREATE_ACCOUNT_BYTES + 600_000);
  expect(await refused(operation, { protobuf: long, headers })).toBe("too-large");
  const protobuf = BODIES[operation]?.() ?? new Uint8Array();
  for (const type of ["application/json", "application/octet-stream", "text/plain", "application/x-protobuffer", ""]) {
    expect(await refused(operation, { protobuf, headers: { "content-type": type } })).toBe("unsupported-media-type");
  }
});

test("a body that streams on for ever is cut off", async () => {
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += 65_536;
      controller.enqueue(new Uint8Array(65_536));
    },
  });
  const headers = { "content-type": "application/x-protobuf" };
  const request = new Request("https://edgewise.test/v1/accounts", { method: "POST", headers, body });
  const response = await world.serve(request, { waitUntil: () => {} });
  expect(await codeOf(response)).toBe("too-large");
  expect(sent).toBeLessThan(4 * MAX_CREATE_ACCOUNT_BYTES + 4 * 65_536);
});

test.each(WITH_JSON)("%s refuses JSON of another shape", async (operation) => {
  const good: Record<string, unknown> = {
    userId: alice.userId,
    deviceId: 1,
    ...(operation === "createToken" ? { nonce: "A".repeat(43), signature: "A".repeat(86) } : {}),
  };
  const wrong: unknown[] = [null, [], "", 1, {}, { ...good, more: 1 }, { ...good, __proto__: undefined, constructor: 1 }];
  for (const key of Object.keys(good)) {
    const { [key]: _left, ...rest } = good;
    wrong.push(rest);
    for (const value of [null, "", {}, [], 0, -1, 1.5, 128, "x".repeat(2000), "A".repeat(42), "A".repeat(87), "\u0000", "é".repeat(43)]) {
      wrong.push({ ...good, [key]: value });
    }
  }
  for (const json of wrong) expect(await refused(operation, { json })).toBe("malformed");
});

test.each(WITH_JSON)("%s refuses what is no JSON, too long, or of another type", async (operation) => {
  const headers = { "content-type": "application/json" };
  for (const text of ["", "{", "{]", "NaN", '{"userId":}', "\uFEFF{}", "[".repeat(1000)]) {
    expect(await refused(operation, { protobuf: toUtf8(text), headers })).toBe("malformed");
  }
  expect(await refused(operation, { protobuf: new Uint8Array([0xff, 0xfe, 0x7b]), headers })).toBe("malformed");
  expect(await refused(operation, { protobuf: new Uint8Array(5000).fill(0x20), headers })).toBe("too-large");
  expect(await refused(operation, { json: {}, headers: { "content-type": "text/plain" } })).toBe("unsupported-media-type");
});

test("ids, names and numbers in paths and queries are what they must be", async () => {
  for (const userId of ["x", alice.userId.toUpperCase(), `${alice.userId.slice(0, -2)}01`, "00000000-0000-4000-8000-000000000000"]) {
    expect(await refused("getKeys", { parameters: { userId } })).toBe("malformed");
    expect(await refused("getLog", { parameters: { userId } })).toBe("malformed");
  }
  for (const name of ["ab", "A_Name", "a".repeat(33), "a-b"])
    expect(await refused("getUsername", { parameters: { name } })).toBe("malformed");
  for (const after of ["-1", "01", "1e3", "1.0", "x", "", "99999999999999999999"]) {
    expect(await refused("getLog", { query: `?after=${after}` })).toBe("malformed");
  }
});

test("an account is refused for any byte of its entry that is not as signed, and wakes no mailbox", async () => {
  const person = stranger();
  const good = person.registration();
  const entry = person.owner.entries[0] ?? new Uint8Array();
  const asleep = new World({ MAILBOX: undefined as unknown as DurableObjectNamespace }); // touching it throws
  // The entry begins behind the tag and the length of its field.
  for (const at of [5, 40, entry.length - 1]) {
    const protobuf = new Uint8Array(good.with(3 + at, (good[3 + at] ?? 0) ^ 1));
    const response = await asleep.ask("createAccount", { protobuf });
    expect(await codeOf(response)).toBe("malformed");
  }
  expect(await rows()).toEqual(before);
});

test("a message for a device twice, or for none, is refused", async () => {
  for (const devices of [[], [parseDeviceId(1), parseDeviceId(1)]]) {
    expect(await refused("sendMessages", { protobuf: messageTo(devices) })).toBe("malformed");
  }
});
