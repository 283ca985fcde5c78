// JSON bodies in both directions. Requests are parsed with these; answers are typed by them, and the tests hold every
// answer against its closed schema, so that no field leaves by accident.

import * as v from "valibot";
import { base64url } from "jose";
import { type Bytes, copy, type DeviceId, parseDeviceId, parseUserId, ROUTES, type UserId } from "#wire";
import type { Operation } from "#wire";
import type { PublishedKey } from "./tokens.ts";

export interface ChallengeRequest {
  readonly userId: UserId;
  readonly deviceId: DeviceId;
}

export interface TokenRequest extends ChallengeRequest {
  readonly nonce: Bytes;
  readonly signature: Bytes;
}

const userId = v.pipe(
  v.string(),
  v.regex(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{10}00$/),
  v.transform((id: string) => parseUserId(id)),
);
const deviceId = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(1),
  v.maxValue(127),
  v.transform((id: number) => parseDeviceId(id)),
);
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const nonce = v.pipe(v.string(), v.regex(/^[\w-]{43}$/), v.transform(fromBase64));
const signature = v.pipe(v.string(), v.regex(/^[\w-]{86}$/), v.transform(fromBase64));
const hashText = v.pipe(v.string(), v.regex(/^[\w-]{43}$/));
const publicKeyText = v.pipe(v.string(), v.regex(/^[\w-]{44}$/));
const text = v.string();

export const CHALLENGE_REQUEST: v.GenericSchema<unknown, ChallengeRequest> = v.strictObject({ userId, deviceId });
export const TOKEN_REQUEST: v.GenericSchema<unknown, TokenRequest> = v.strictObject({ userId, deviceId, nonce, signature });

/** What each operation answers, as JSON. */
export interface Answers {
  readonly createAccount: { readonly userId: string; readonly head: HeadAnswer };
  readonly createChallenge: { readonly nonce: string; readonly lifetimeSeconds: number };
  readonly createToken: { readonly token: string; readonly lifetimeSeconds: number };
  readonly getTokenKeys: { readonly keys: readonly PublishedKey[] };
  /** `digest`: base64url of the SHA-256 of the signed prekey record; null when there is none. */
  readonly getKeyCounts: { readonly ec: number; readonly kem: number; readonly digest: string | null };
  readonly appendLog: { readonly head: HeadAnswer };
  readonly recoverAccount: { readonly head: HeadAnswer };
  readonly getUsername: { readonly userId: string };
  readonly sendMessages: Readonly<Record<string, never>>;
  readonly appendGroup: { readonly version: number };
  readonly sendToMany: { readonly handle: string };
  /** `delivered` counts mailboxes. */
  readonly getSendResult: {
    readonly state: "pending" | "done";
    readonly delivered: number;
    readonly refused: readonly RefusalAnswer[];
  };
  /** `url` is path and query; `expiresAt` in seconds. */
  readonly createMediaUrl: { readonly url: string; readonly expiresAt: number };
  readonly getConfig: {
    readonly registration: "open" | "invite";
    readonly trustRoots: readonly string[];
    readonly limits: Readonly<Record<string, number>>;
  };
  readonly getHealth: { readonly status: "ok" };
}

export interface HeadAnswer {
  readonly length: number;
  readonly hash: string;
}

/** Of one recipient, by the place at which the message names that user first. */
export type RefusalAnswer =
  | { readonly index: number; readonly missing: readonly number[]; readonly extra: readonly number[]; readonly stale: readonly number[] }
  | { readonly index: number; readonly full: true };

const devices = v.array(deviceId);
const refusal = v.union([
  v.strictObject({ index: count, missing: devices, extra: devices, stale: devices }),
  v.strictObject({ index: count, full: v.literal(true) }),
]);
const head = v.strictObject({ length: count, hash: hashText });

export const REQUEST_SCHEMAS: Readonly<Partial<Record<Operation, v.GenericSchema>>> = {
  createChallenge: CHALLENGE_REQUEST,
  createToken: TOKEN_REQUEST,
};

export const ANSWER_SCHEMAS: Readonly<Record<keyof Answers, v.GenericSchema>> = {
  createAccount: v.strictObject({ userId, head }),
  createChallenge: v.strictObject({ nonce: hashText, lifetimeSeconds: count }),
  createToken: v.strictObject({ token: text, lifetimeSeconds: count }),
  getTokenKeys: v.strictObject({
    keys: v.array(
      v.strictObject({
        kty: v.literal("OKP"),
        crv: v.literal("Ed25519"),
        x: hashText,
        kid: text,
        alg: v.literal("EdDSA"),
        use: v.literal("sig"),
      }),
    ),
  }),
  getKeyCounts: v.strictObject({ ec: count, kem: count, digest: v.nullable(hashText) }),
  appendLog: v.strictObject({ head }),
  recoverAccount: v.strictObject({ head }),
  getUsername: v.strictObject({ userId }),
  sendMessages: v.strictObject({}),
  appendGroup: v.strictObject({ version: count }),
  sendToMany: v.strictObject({ handle: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)) }),
  getSendResult: v.strictObject({ state: v.picklist(["pending", "done"]), delivered: count, refused: v.array(refusal) }),
  createMediaUrl: v.strictObject({ url: text, expiresAt: count }),
  getConfig: v.strictObject({
    registration: v.picklist(["open", "invite"]),
    trustRoots: v.array(publicKeyText),
    limits: v.record(text, count),
  }),
  getHealth: v.strictObject({ status: v.literal("ok") }),
};

export function answer<Name extends keyof Answers>(name: Name, value: Answers[Name]): Response {
  return new Response(JSON.stringify(value), { status: ROUTES[name].status, headers: { "content-type": "application/json" } });
}

export function protobufAnswer(bytes: Bytes): Response {
  return new Response(bytes, { headers: { "content-type": "application/x-protobuf" } });
}

/** Of a text that matched its pattern. */
function fromBase64(encoded: string): Bytes {
  return copy(base64url.decode(encoded));
}
