// A server and people who use it over HTTP. The gateway, the databases and the mailboxes are the real ones; the gateway's
// clock can be moved ahead.

import { env } from "cloudflare:workers";
import { expect } from "vitest";
import * as v from "valibot";
import { base64url } from "jose";
import { systemRandom } from "#crypto";
import { databasesOf } from "#durable-objects";
import { answerChallenge, createPreKeySet, type OwnDevice } from "#identity";
import {
  type Bytes,
  COMMON_PROBLEMS,
  copy,
  encodeCreateAccount,
  type Operation,
  pathOf,
  PROBLEM_STATUS,
  ROUTES,
  type UserId,
  type Username,
} from "#wire";
import type { Services } from "../../../workers/gateway/call.ts";
import type { Env } from "../../../workers/gateway/env.ts";
import { OPERATIONS } from "../../../workers/gateway/operations/index.ts";
import { type Gateway, gateway } from "../../../workers/gateway/router.ts";
import { ANSWER_SCHEMAS } from "../../../workers/gateway/schemas.ts";
import { servicesOf } from "../../../workers/gateway/services.ts";
import { Owner } from "../../support/accounts.ts";
import { kemKey, oneTimeKeys, preKeyInput } from "../../support/prekeys.ts";
import { makeTables } from "./databases.ts";
import { range } from "./stored-account.ts";

export const ORIGIN = "https://edgewise.test";

export interface Asking {
  readonly parameters?: Readonly<Record<string, string>>;
  readonly query?: string;
  readonly token?: string;
  readonly json?: unknown;
  readonly protobuf?: Bytes;
  readonly octets?: Bytes;
  readonly headers?: Readonly<Record<string, string>>;
}

export class World {
  readonly services: Services;
  readonly serve: Gateway;
  /** What was left to be done after an answer. */
  readonly afterwards: Promise<unknown>[] = [];
  aheadSeconds = 0;

  /** @param without what is not bound */
  constructor(overrides: Partial<Env> = {}, without: readonly (keyof Env)[] = []) {
    const { SERVER_SEED, MAILBOX, GROUP, FAN_OUT, RENDEZVOUS, UPLOAD, MEDIA, KEYS_DB, KEYS_DB_1, KEYS_DB_2 } = env;
    // No limiter but a test's own: what one test asks must not slow another.
    const bound: Env & Pick<Cloudflare.Env, "KEYS_DB"> = {
      SERVER_SEED,
      MAILBOX,
      GROUP,
      FAN_OUT,
      UPLOAD,
      MEDIA,
      RENDEZVOUS,
      KEYS_DB,
      ...{ KEYS_DB_1, KEYS_DB_2 },
      ...overrides,
    };
    for (const name of without) Reflect.deleteProperty(bound, name);
    this.services = servicesOf(bound, { nowMilliseconds: () => Date.now() + this.aheadSeconds * 1000, random: systemRandom });
    this.serve = gateway(this.services, OPERATIONS);
  }

  /** Every answer of every test is held against what the route table promises. */
  async ask(operation: Operation, asking: Asking = {}): Promise<Response> {
    const { parameters, query = "", token, json, protobuf, octets, headers } = asking;
    const body = protobuf ?? octets ?? (json === undefined ? undefined : JSON.stringify(json));
    const request = new Request(`${ORIGIN}${pathOf(operation, parameters)}${query}`, {
      method: ROUTES[operation].method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(protobuf === undefined ? {} : { "content-type": "application/x-protobuf" }),
        ...(octets === undefined ? {} : { "content-type": "application/octet-stream" }),
        ...(json === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body }),
    });
    const response = await this.serve(request, { waitUntil: (work) => this.afterwards.push(work) });
    await expectPromised(operation, response);
    return response;
  }
}

export async function openWorld(overrides: Partial<Env> = {}): Promise<World> {
  await makeTables(databasesOf({ ...env }));
  return new World(overrides);
}

export function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

async function expectPromised(operation: Operation, response: Response): Promise<void> {
  const route = ROUTES[operation];
  // A part of a file.
  if (response.status === 206 && operation === "getMedia") return;
  if (response.status === route.status) {
    const schema = operation in ANSWER_SCHEMAS ? ANSWER_SCHEMAS[operation as keyof typeof ANSWER_SCHEMAS] : undefined; // it has this key
    if (schema !== undefined) v.parse(schema, await response.clone().json());
    return;
  }
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  if (route.method === "HEAD") return;
  const problem = v.parse(PROBLEM, await response.clone().json());
  expect([...COMMON_PROBLEMS, ...route.problems]).toContain(problem.code);
  expect(response.status).toBe(PROBLEM_STATUS[problem.code as keyof typeof PROBLEM_STATUS]); // it is one of the route's
  expect(problem.status).toBe(response.status);
}

const ids = v.optional(v.array(v.number()));
/** Closed: a problem says no more than this. */
const PROBLEM = v.strictObject({
  type: v.literal("about:blank"),
  status: v.number(),
  code: v.string(),
  reason: v.optional(v.pipe(v.string(), v.regex(/^[a-z-]+$/))),
  missing: ids,
  extra: ids,
  stale: ids,
  version: v.optional(v.number()),
});

export async function codeOf(response: Response): Promise<string> {
  return v.parse(PROBLEM, await response.json()).code;
}

export interface Registering {
  readonly username?: Username;
  readonly invite?: string;
  readonly ec?: number;
  readonly kem?: number;
}

/** Somebody with an account, or about to make one. */
export class Person {
  readonly world: World;
  readonly owner: Owner;

  constructor(world: World, seed: number) {
    this.world = world;
    this.owner = new Owner(seed, nowSeconds());
  }

  get userId(): UserId {
    return this.owner.userId;
  }

  preKeysOf(device: OwnDevice, ec: readonly number[], kem: readonly number[]) {
    const { owner } = this;
    const oneTime = kem.map((id) => kemKey(id, owner.random));
    const set = createPreKeySet({ ...preKeyInput(owner.userId, device, owner.random), oneTime, nowSeconds: nowSeconds() }, owner.random);
    return { set, oneTimePreKeys: oneTimeKeys(ec, owner.random) };
  }

  registration({ username, invite, ec = 2, kem = 1 }: Registering = {}): Bytes {
    const preKeys = this.preKeysOf(this.owner.first, range(1, ec), range(2, kem));
    const [genesis = new Uint8Array()] = this.owner.entries;
    return encodeCreateAccount({ genesis, preKeys, username, invite });
  }

  async register(registering: Registering = {}): Promise<this> {
    const response = await this.world.ask("createAccount", { protobuf: this.registration(registering) });
    if (response.status !== 200) throw new Error(await response.text());
    return this;
  }

  /** What the device says to the server's challenge. */
  async proof(device: OwnDevice = this.owner.first, origin = ORIGIN): Promise<Record<string, unknown>> {
    const { userId } = this;
    const { deviceId, identity } = device;
    const challenge = await this.world.ask("createChallenge", { json: { userId, deviceId } });
    const { nonce } = v.parse(v.object({ nonce: v.string() }), await challenge.json());
    const answer = answerChallenge(
      { origin, device: { userId, deviceId }, nonce: copy(base64url.decode(nonce)) },
      identity.privateKey,
      systemRandom,
    );
    return { userId, deviceId, nonce, signature: base64url.encode(answer) };
  }

  async token(device: OwnDevice = this.owner.first): Promise<string> {
    const response = await this.world.ask("createToken", { json: await this.proof(device) });
    if (response.status !== 200) throw new Error(await response.text());
    return v.parse(v.object({ token: v.string() }), await response.json()).token;
  }
}
