// Messages to many, and the queue between the object that keeps them and the consumer: what was enqueued is noted, and a
// test says what the consumer gets, in which order and how often.

import { env } from "cloudflare:workers";
import { createExecutionContext, createMessageBatch, getQueueResult, runInDurableObject } from "cloudflare:test";
import * as v from "valibot";
import { type ChunkReference, type FanOut, parseServerSeed, ServerNames } from "#durable-objects";
import type { OwnDevice } from "#identity";
import {
  type Bytes,
  encodeMultiRecipient,
  type MessageId,
  type MultiRecipient,
  parseMessageId,
  serviceIdOfDevice,
  uuidFromBytes,
  type UserId,
} from "#wire";
import { consume } from "../../../workers/fan-out/index.ts";
import type { Owner } from "../../support/accounts.ts";
import { seededRandom } from "../../support/random.ts";
import { type Person, type World } from "./world.ts";

let drawn = 0;
const names = new ServerNames(parseServerSeed(env.SERVER_SEED));

/** Well-formed, another each time, and nothing that anybody could open: for the server it is all the same. */
export function opaqueMessage(to: readonly { readonly owner: Owner }[], { devices = devicesOf, bytes = 600 } = {}): MultiRecipient {
  const random = seededRandom(++drawn);
  const recipients = to.flatMap(({ owner }) =>
    devices(owner).map(({ deviceId, registrationId }) => ({
      serviceId: serviceIdOfDevice({ userId: owner.userId, deviceId }),
      registrationId,
      maskedKey: random(32),
      senderTag: random(16),
    })),
  );
  return { recipients, excluded: [], tail: random(bytes) };
}

function devicesOf(owner: Owner): readonly OwnDevice[] {
  return owner.devices;
}

export function fanOutOf(handle: string): DurableObjectStub<FanOut> {
  const namespace = env.FAN_OUT as unknown as DurableObjectNamespace<FanOut>; // the class that the test worker exports
  return namespace.getByName(names.fanOut(handle));
}

export function handleOf(sender: UserId, messageId: MessageId): string {
  return names.sendHandle(sender, messageId);
}

export function newMessageId(): MessageId {
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setUint32(0, ++drawn);
  return parseMessageId(uuidFromBytes(bytes));
}

const HANDLE = v.object({ handle: v.string() });

/** What GET /v1/messages/{handle} answers. */
export interface Result {
  readonly state: string;
  readonly delivered: number;
  readonly refused: readonly unknown[];
}

/** Somebody who writes to many. */
export class Sender {
  readonly world: World;
  readonly person: Person;
  readonly #token: string;

  private constructor(world: World, person: Person, token: string) {
    this.world = world;
    this.person = person;
    this.#token = token;
  }

  static async signIn(person: Person): Promise<Sender> {
    return new Sender(person.world, person, await person.token());
  }

  /** The same person at a server that is bound to something else. */
  at(world: World): Sender {
    return new Sender(world, this.person, this.#token);
  }

  async post(octets: Bytes, messageId: string = newMessageId(), headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    return await this.world.ask("sendToMany", { token: this.#token, octets, headers: { "idempotency-key": messageId, ...headers } });
  }

  async send(message: MultiRecipient, messageId?: MessageId): Promise<string> {
    const response = await this.post(encodeMultiRecipient(message), messageId);
    if (response.status !== 202) throw new Error(await response.text());
    return v.parse(HANDLE, await response.json()).handle;
  }

  async result(handle: string): Promise<Result> {
    const response = await this.world.ask("getSendResult", { token: this.#token, parameters: { handle } });
    if (response.status !== 200) throw new Error(await response.text());
    return await response.json();
  }
}

/** What an object put into its queue: one entry for each call. */
export class Enqueued {
  readonly batches: ChunkReference[][] = [];
  /** As long as this is set, the queue takes nothing. */
  isBroken = false;

  /** Listens to one object, in this life of it. */
  static async of(handle: string): Promise<Enqueued> {
    const enqueued = new Enqueued();
    await runInDurableObject(fanOutOf(handle), (object) => {
      const { env: bound } = object as unknown as { env: { FANOUT_QUEUE: Pick<Queue<ChunkReference>, "sendBatch"> } }; // as its constructor got it
      const sendBatch = async (messages: Iterable<MessageSendRequest<ChunkReference>>): Promise<QueueSendBatchResponse> => {
        if (enqueued.isBroken) throw new Error("the queue takes nothing");
        enqueued.batches.push([...messages].map(({ body }) => body));
        return await Promise.resolve({ metadata: { metrics: { backlogCount: 0, backlogBytes: 0 } } });
      };
      Object.defineProperty(object, "env", { value: { ...bound, FANOUT_QUEUE: { sendBatch } } });
    });
    return enqueued;
  }

  get references(): readonly ChunkReference[] {
    return this.batches.flat();
  }
}

export interface Consumed {
  readonly acknowledged: readonly number[];
  readonly retried: readonly number[];
}

/** Gives the consumer one batch. Messages are named by their place in it. */
export async function consumed(
  world: World,
  bodies: readonly unknown[],
  { queue = "edgewise-fan-out", attempts = 1 } = {},
): Promise<Consumed> {
  const messages = bodies.map((body, at) => ({ id: String(at), timestamp: new Date(), attempts, body }));
  const batch = createMessageBatch(queue, messages);
  const context = createExecutionContext();
  await consume(batch, world.services.fanOut);
  const { explicitAcks, retryMessages } = await getQueueResult(batch, context);
  return { acknowledged: places(explicitAcks), retried: places(retryMessages.map(({ msgId }) => msgId)) };
}

function places(ids: readonly string[]): readonly number[] {
  return ids.map(Number).toSorted((a, b) => a - b);
}

/** The references to a job of so many users. */
export function referencesTo(handle: string, users: number): readonly ChunkReference[] {
  return Array.from({ length: Math.ceil(users / 25) }, (_, chunk) => ({ handle, chunk }));
}
