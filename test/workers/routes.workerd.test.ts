// Every route for every principal.

import { base64url } from "jose";
import { beforeAll, describe, expect, test } from "vitest";
import { systemRandom } from "#crypto";
import { accessSecretOf, drawUploadId, mediaIdOf } from "#identity";
import {
  encodeAppendLog,
  encodeGroupAppend,
  encodeLinkRequest,
  encodeMultiRecipient,
  encodePreKeyUpload,
  encodeSendRequest,
  MEDIA_SCHEME,
  type Operation,
  parseMessageId,
  parseRendezvousId,
  parseUsername,
  ROUTES,
  TUS_CONTENT_TYPE,
  type UploadId,
  toHex,
} from "#wire";
import { SERVED } from "../../workers/gateway/served.ts";
import { SharedGroup } from "../support/shared-group.ts";
import { SMALL, TUS, Uploader } from "./support/files.ts";
import { noise } from "./support/noise.ts";
import { authorizationOf } from "./support/groups.ts";
import { newMessageId, opaqueMessage, Sender } from "./support/to-many.ts";
import { type Asking, codeOf, nowSeconds, openWorld, ORIGIN, Person, type World } from "./support/world.ts";

const PRINCIPALS = ["anonymous", "owner", "other", "revoked", "forged"] as const;
type Principal = (typeof PRINCIPALS)[number];

/** What each gets, in the order of PRINCIPALS. */
const ROWS: Readonly<Partial<Record<Operation, readonly number[]>>> = {
  createAccount: [200, 200, 200, 200, 200],
  createChallenge: [200, 200, 200, 200, 200],
  createToken: [401, 401, 401, 401, 401],
  getTokenKeys: [200, 200, 200, 200, 200],
  getConfig: [200, 200, 200, 200, 200],
  getHealth: [200, 200, 200, 200, 200],
  getOpenApi: [200, 200, 200, 200, 200],
  getCertificate: [401, 200, 200, 401, 401],
  openSocket: [401, 101, 101, 401, 401],
  putKeys: [401, 204, 204, 401, 401],
  getKeyCounts: [401, 200, 200, 401, 401],
  getKeys: [401, 200, 200, 401, 401],
  getLog: [401, 200, 200, 401, 401],
  appendLog: [401, 200, 404, 401, 401],
  // With the recovery key; a token changes nothing.
  getRecoveryLog: [404, 404, 404, 404, 404],
  recoverAccount: [404, 404, 404, 404, 404],
  getUsername: [401, 200, 200, 401, 401],
  sendMessages: [401, 200, 200, 401, 401],
  // With the group's keys; a token changes nothing.
  getGroup: [200, 200, 200, 200, 200],
  appendGroup: [200, 200, 200, 200, 200],
  // Without a token, by an id that nobody guesses; who takes a blob first has it.
  requestLink: [202, 202, 202, 202, 202],
  putLinkBlob: [204, 204, 204, 204, 204],
  takeLinkBlob: [200, 410, 410, 410, 410],
  sendToMany: [401, 202, 202, 401, 401],
  getSendResult: [401, 200, 200, 401, 401],
  getUploadOptions: [204, 204, 204, 204, 204],
  createUpload: [401, 201, 201, 401, 401],
  // With the secret of whoever began it, of whoever has its pointer, and with a signed URL; a token changes nothing.
  getUpload: [200, 200, 200, 200, 200],
  appendUpload: [204, 204, 204, 204, 204],
  deleteUpload: [204, 204, 204, 204, 204],
  putMedia: [401, 204, 204, 401, 401],
  createMediaUrl: [200, 200, 200, 200, 200],
  getMedia: [200, 200, 200, 200, 200],
};

let world: World;
let owner: Person;
let other: Person;
const group = new SharedGroup(1, ORIGIN);
const rendezvousId = parseRendezvousId(toHex(systemRandom(32)));
const linkRequest = encodeLinkRequest({ rendezvousId, commitment: systemRandom(32) });
const beginning = encodeGroupAppend(group.begin());
let handle: string;
let upload: UploadId;
const file = drawUploadId("client", systemRandom);
let fileUrl: URL;
/** Each is removed once. */
let doomed: UploadId[];
const tokens = new Map<Principal, string>();

beforeAll(async () => {
  world = await openWorld();
  owner = await new Person(world, 1).register({ username: parseUsername("the_owner") });
  other = await new Person(world, 2).register();
  tokens.set("owner", await owner.token());
  tokens.set("other", await other.token());
  handle = await (await Sender.signIn(owner)).send(opaqueMessage([other]));
  tokens.set("revoked", await revokedToken());
  await world.ask("appendGroup", { parameters: { groupId: group.at.groupId }, protobuf: beginning });
  const uploader = new Uploader(world, tokens.get("owner") ?? "");
  upload = await uploader.create(SMALL);
  doomed = await Promise.all(PRINCIPALS.map(() => uploader.create(SMALL)));
  await uploader.put(file, noise(SMALL));
  fileUrl = new URL(await uploader.urlOf(file), ORIGIN);
  tokens.set("forged", `${tokens.get("owner")?.slice(0, -4)}AAAA`);
});

/** Of a device that was there, got a token, and is there no more. */
async function revokedToken(): Promise<string> {
  const parameters = { userId: owner.userId };
  const second = owner.owner.add();
  const entry = owner.owner.entries.at(-1) ?? new Uint8Array();
  const added = encodeAppendLog({ entry, preKeys: owner.preKeysOf(second, [], []) });
  expect((await world.ask("appendLog", { parameters, token: tokens.get("owner") ?? "", protobuf: added })).status).toBe(200);
  const token = await owner.token(second);
  expect((await world.ask("getCertificate", { token })).status).toBe(200);
  const revocation = encodeAppendLog({ entry: owner.owner.revoke(second), preKeys: undefined });
  expect((await world.ask("appendLog", { parameters, token: tokens.get("owner") ?? "", protobuf: revocation })).status).toBe(200);
  world.aheadSeconds += 30;
  return token;
}

/** A request that is good in itself. */
function asking(operation: Operation, principal: Principal): Asking {
  const token = tokens.get(principal);
  const common = {
    parameters: {
      userId: owner.userId,
      name: "the_owner",
      groupId: group.at.groupId,
      handle,
      uploadId: upload,
      mediaId: mediaIdOf(file),
      rendezvousId,
      blob: "1",
    },
    ...(token === undefined ? {} : { token }),
  };
  switch (operation) {
    case "createAccount":
      return { ...common, protobuf: owner.registration() };
    case "createChallenge":
      return { ...common, json: { userId: owner.userId, deviceId: 1 } };
    case "createToken":
      return { ...common, json: { userId: owner.userId, deviceId: 1, nonce: "A".repeat(43), signature: "A".repeat(86) } };
    case "openSocket": {
      const protocols = token === undefined ? "edgewise.v1" : `edgewise.v1, ${token}`;
      return { headers: { upgrade: "websocket", "sec-websocket-protocol": protocols } };
    }
    case "putKeys":
      return { ...common, protobuf: uploadOf(principal) };
    case "appendLog":
      return { ...common, protobuf: appendOf(principal) };
    case "getGroup":
      return { ...common, headers: authorizationOf(group.readProof(nowSeconds())) };
    case "appendGroup":
      return { ...common, protobuf: beginning };
    case "requestLink":
      return { ...common, protobuf: linkRequest };
    case "putLinkBlob":
      return { ...common, octets: linkRequest };
    case "sendMessages":
      return { ...common, protobuf: messageToOwner() };
    case "sendToMany":
      return { ...common, octets: encodeMultiRecipient(opaqueMessage([owner, other])), headers: { "idempotency-key": newMessageId() } };
    case "createUpload":
      return { ...common, headers: { ...TUS, "upload-length": String(SMALL) } };
    case "getUpload":
      return { ...common, headers: TUS };
    case "appendUpload":
      return { ...common, octets: new Uint8Array(), headers: { ...TUS, "content-type": TUS_CONTENT_TYPE, "upload-offset": "0" } };
    case "deleteUpload":
      return { ...common, parameters: { uploadId: doomed.pop() ?? "" }, headers: TUS };
    case "putMedia":
      return { ...common, parameters: { uploadId: file }, octets: noise(SMALL), headers: { "content-length": String(SMALL) } };
    case "createMediaUrl":
      return { ...common, headers: { authorization: `${MEDIA_SCHEME} ${base64url.encode(accessSecretOf(file))}` } };
    case "getMedia":
      return { ...common, query: fileUrl.search };
    default:
      return common;
  }
}

/** Ids grow: each upload of one device is a new one. */
let nextKeyId = 100;

function uploadOf(principal: Principal) {
  const person = principal === "other" ? other : owner;
  return encodePreKeyUpload({ set: undefined, oneTimePreKeys: person.preKeysOf(person.owner.first, [nextKeyId++], []).oneTimePreKeys });
}

/** A recovery key: an entry that changes no device. */
function appendOf(principal: Principal) {
  if (principal === "owner") owner.owner.nameKey(undefined);
  return encodeAppendLog({ entry: owner.owner.entries.at(-1) ?? new Uint8Array(), preKeys: undefined });
}

let nextMessage = 1;

function messageToOwner() {
  const { deviceId, registrationId } = owner.owner.first;
  const messageId = parseMessageId(`00000000-0000-4000-8000-${String(nextMessage++).padStart(12, "0")}`);
  return encodeSendRequest({
    messageId,
    scope: "all",
    ephemeral: false,
    devices: [{ deviceId, registrationId, content: new Uint8Array([1]) }],
  });
}

describe.each(SERVED.map((operation) => ({ operation })))("$operation", ({ operation }) => {
  test.each(PRINCIPALS.map((principal, at) => ({ principal, status: ROWS[operation]?.[at] })))(
    "$principal: $status",
    async ({ principal, status }) => {
      const response = await world.ask(operation, asking(operation, principal));
      response.webSocket?.accept();
      response.webSocket?.close();
      expect(response.status).toBe(status);
    },
  );
});

test("every route has a row, and only routes have", () => {
  expect(Object.keys(ROWS).toSorted()).toEqual([...SERVED].toSorted());
});

test("every route of the table is here, and other methods say which there are", async () => {
  expect(SERVED.toSorted()).toEqual(Object.keys(ROUTES).toSorted());
  const response = await world.serve(new Request(`${ORIGIN}/v1/keys`, { method: "DELETE" }), { waitUntil: () => {} });
  expect([response.status, response.headers.get("allow")]).toEqual([405, "POST, GET"]);
  const head = await world.serve(new Request(`${ORIGIN}/v1/keys/${owner.userId}`, { method: "HEAD" }), { waitUntil: () => {} });
  expect(head.status).toBe(405);
});

test("every answer has the security headers", async () => {
  for (const operation of ["getHealth", "getCertificate"] as const) {
    const { headers } = await world.ask(operation);
    expect(headers.get("strict-transport-security")).toMatch(/^max-age=\d{8}/);
    expect(headers.get("cache-control")).toBe("no-store");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("access-control-allow-origin")).toBeNull();
  }
});

test("a server that knows its origins answers to no other", async () => {
  const strict = await openWorld({ ORIGINS: "https://chat.example.org" });
  expect(await codeOf(await strict.ask("getHealth"))).toBe("not-found");
  const answer = await strict.serve(new Request("https://chat.example.org/health"), { waitUntil: () => {} });
  expect(answer.status).toBe(200);
});
