// Mailbox: the one writer of what waits for a user's devices, of who these devices are, and of the account log. The shell:
// it asks the parts to decide and acts. Nothing here (timer, pending call, waitUntil) may keep the object awake.

import { DurableObject } from "cloudflare:workers";
import {
  type Bytes,
  CLOSE,
  decodeClientFrame,
  type DeviceId,
  encodeNotice,
  MAX_FRAME_BYTES,
  type MessageId,
  type Notice,
  parseDeviceId,
  parseMessageId,
  ProtocolError,
  type SendEphemeral,
  SOCKET_PROTOCOL,
  type UserId,
  uuidFromBytes,
  uuidToBytes,
  WireError,
} from "#wire";
import { type AccountState, userIdOfGenesis } from "#identity";
import { sha256 } from "#crypto";
import { databaseOf, databasesOf } from "../databases.ts";
import { mailboxNamespace } from "../jurisdiction.ts";
import type { MailboxEnv } from "../env.ts";
import { parseServerSeed, ServerNames } from "../server-seed.ts";
import { checkAccept, noticeEnvelope } from "./accepting.ts";
import { AccountStore, releaseNames } from "./account-store.ts";
import type {
  Accept,
  AcceptResult,
  Appended,
  Deleted,
  Denied,
  DeviceIdentity,
  KeyBudget,
  LinkAsked,
  LogAppend,
  LogConflict,
  MailboxApi,
  Registration,
  Unknown,
} from "./api.ts";
import { AttemptLog } from "./attempts.ts";
import { Budgets, mediaBytesPerDay } from "./budgets.ts";
import { fitsQuota, type Patience, spendPatience } from "./core.ts";
import { Facts } from "./facts.ts";
import { LinkRequests } from "./link-requests.ts";
import { LogLeader, requireAdmitted } from "./log-append.ts";
import { MessageQueue } from "./queue.ts";
import { DeviceRegistry } from "./registry.ts";
import { REMOVE, SCHEMA } from "./schema.ts";
import { Delivery } from "./sockets/delivery.ts";
import { close, sendFrame, Sockets } from "./sockets/sockets.ts";
import { nextUpkeep, retryAfter } from "./upkeep.ts";

const UNKNOWN: Unknown = { kind: "unknown" };
const DELETED: Deleted = { kind: "deleted" };

/** RFC 6455 section 7.4.1: codes that a peer reports and never sends. */
const NEVER_SENT: ReadonlySet<number> = new Set([1005, 1006, 1015]);
const NORMAL_CLOSURE = 1000;

export class Mailbox extends DurableObject<MailboxEnv> implements MailboxApi {
  readonly #facts: Facts;
  readonly #registry: DeviceRegistry;
  readonly #queue: MessageQueue;
  readonly #attempts: AttemptLog;
  readonly #budgets: Budgets;
  readonly #linkRequests: LinkRequests;
  readonly #sockets: Sockets;
  readonly #delivery: Delivery;
  readonly #leader: LogLeader;
  readonly #patience = new WeakMap<WebSocket, Patience>();
  #serverNames: ServerNames | undefined;
  /** Appends wait for each other: each reads the log, and two that read the same one would both think they are next. */
  #lastAppend: Promise<unknown> = Promise.resolve();

  constructor(state: DurableObjectState, env: MailboxEnv) {
    super(state, env);
    const { sql } = state.storage;
    this.#facts = new Facts(sql);
    this.#registry = new DeviceRegistry(sql);
    this.#queue = new MessageQueue(sql);
    this.#attempts = new AttemptLog(sql);
    this.#budgets = new Budgets(sql);
    this.#linkRequests = new LinkRequests(sql);
    this.#sockets = new Sockets(state);
    this.#delivery = new Delivery(this.#sockets, this.#queue, this.#attempts);
    this.#leader = new LogLeader(sql, this.#facts, {
      storeOf: (userId) => this.#accountStore(userId),
      giveUpNames: (userId, nowSeconds) => releaseNames(databasesOf({ ...this.env }), userId, nowSeconds),
    });
  }

  async register(registration: Registration): Promise<Appended | Denied> {
    return await this.#inTurn(async () => await refusalsAsValues(async () => await this.#register(registration)));
  }

  async appendLog(append: LogAppend): Promise<Appended | LogConflict | Denied | Unknown> {
    return await this.#inTurn(async () => await refusalsAsValues(async () => await this.#appendLog(append)));
  }

  /** One step: nothing is awaited between the look at the registry and the row. */
  async accept(request: Accept): Promise<AcceptResult> {
    if (this.#owner === undefined) return this.#nobody;
    const now = Date.now();
    const checked = checkAccept(request, this.#registry, this.#queue);
    if (checked.kind !== "copies") return checked;
    if (request.ephemeral) {
      for (const { deviceId, envelope } of checked.copies) this.#delivery.pass(deviceId, envelope, now);
      return { kind: "accepted" };
    }
    this.#inOneStep(() => {
      for (const { deviceId, envelope } of checked.copies) this.#queue.put(deviceId, request.messageId, envelope, now);
    });
    // The platform holds these sends, and the answer, until the rows are durable.
    for (const { deviceId } of checked.copies) this.#delivery.push(deviceId, now);
    return { kind: "accepted" };
  }

  async device(deviceId: DeviceId): Promise<DeviceIdentity | Deleted | Unknown> {
    if (this.#owner === undefined) return await Promise.resolve(this.#nobody);
    const device = this.#registry.find(deviceId);
    if (device === undefined) return await Promise.resolve(UNKNOWN);
    return { kind: "device", registrationId: device.registrationId, identityKey: device.identityKey };
  }

  async spendKeyBudget(requester: string): Promise<KeyBudget | Deleted | Unknown> {
    if (this.#owner === undefined) return await Promise.resolve(this.#nobody);
    const devices = this.#registry.active.map(({ deviceId }) => deviceId);
    return { kind: "budget", oneTimeFor: this.#budgets.spendKeys(devices, requester, Date.now()) };
  }

  async spendFetchBudget(): Promise<boolean> {
    return await Promise.resolve(this.#owner !== undefined && this.#budgets.spendFetch(Date.now()));
  }

  async spendMediaBudget(bytes: number): Promise<boolean> {
    const limit = mediaBytesPerDay(this.env.MEDIA_BYTES_PER_DAY);
    return await Promise.resolve(this.#owner !== undefined && this.#budgets.spendMedia(bytes, limit, Date.now()));
  }

  async preKeysLow(deviceId: DeviceId, keys: "ec" | "kem", remaining: number): Promise<void> {
    const socket = this.#owner === undefined ? undefined : this.#sockets.of(deviceId, Date.now());
    if (socket !== undefined) sendFrame(socket, { kind: "pre-keys-low", keys, remaining });
    await Promise.resolve();
  }

  async requestLink(asked: LinkAsked): Promise<void> {
    const now = Date.now();
    if (this.#owner === undefined) return;
    // A repeat of what is pending was counted and told before.
    if (this.#linkRequests.isPending(asked, now) || !this.#budgets.spendLinkRequest(now)) return;
    this.#linkRequests.keep(asked, now);
    for (const { deviceId } of this.#registry.active) this.#showLinkRequest(deviceId, now);
    await this.#wakeToForget();
  }

  /** The upgrade of a socket, by a request that the gateway made itself. Everything else goes by RPC. */
  override fetch(request: Request): Response {
    if (request.headers.get("upgrade") !== "websocket") return new Response(undefined, { status: 426 });
    const deviceId = parseDeviceId(Number(new URL(request.url).searchParams.get("device")));
    const device = this.#owner === undefined ? undefined : this.#registry.find(deviceId);
    if (device === undefined) return new Response(undefined, { status: 401 });
    const now = Date.now();
    this.#registry.see(deviceId, now, Math.random());
    this.#queue.expire(deviceId, now);
    const { 0: client, 1: server } = new WebSocketPair();
    this.#delivery.open(server, deviceId, now);
    this.#showLinkRequest(deviceId, now);
    return new Response(undefined, { status: 101, webSocket: client, headers: { "sec-websocket-protocol": SOCKET_PROTOCOL } });
  }

  /** Answers a client that closes: without that its socket hangs until the object sleeps. Codes that stand for no code are not echoed. */
  override webSocketClose(socket: WebSocket, code: number): void {
    try {
      socket.close(NEVER_SENT.has(code) ? NORMAL_CLOSURE : code);
    } catch {
      // Closed already, which is what was wanted.
    }
  }

  override async webSocketMessage(socket: WebSocket, data: string | ArrayBuffer): Promise<void> {
    if (socket.readyState !== WebSocket.OPEN) return;
    if (this.#owner === undefined) {
      // Only after a crash: the end of an account closes its sockets.
      close(socket, CLOSE.deleted);
      return;
    }
    if (typeof data === "string") {
      close(socket, CLOSE.badFrame);
      return;
    }
    if (data.byteLength > MAX_FRAME_BYTES) {
      close(socket, CLOSE.tooLarge);
      return;
    }
    const frame = readFrame(new Uint8Array(data));
    if (frame === undefined) {
      close(socket, CLOSE.badFrame);
      return;
    }
    if (frame.kind === "ack" && this.#delivery.acknowledge(socket, frame.guids)) return;
    const patience = spendPatience(this.#patience.get(socket), Date.now());
    if (patience === undefined) {
      close(socket, CLOSE.flooding);
      return;
    }
    this.#patience.set(socket, patience);
    if (frame.kind === "send-ephemeral") await this.#forward(frame);
  }

  override async alarm(): Promise<void> {
    const userId = this.#owner;
    if (userId === undefined) return;
    const isSettled = await this.#trySettle(userId);
    // It was the end of the account that was carried on with.
    if (this.#owner === undefined) return;
    const now = Date.now();
    // Mail is none of D1's business: the rest is done though an append has to wait.
    this.#upkeep(now);
    this.#linkRequests.clear(now);
    const due = isSettled ? nextUpkeep(now, this.#queue.isEmpty, Math.random()) : now + retryAfter(this.#leader.countFailure());
    await this.ctx.storage.setAlarm(due);
    await this.#wakeToForget();
  }

  /** The platform gives an alarm up that failed a few times; what this one is for must not be given up. */
  async #trySettle(userId: UserId): Promise<boolean> {
    try {
      await this.#inTurn(async () => await this.#settle(userId));
      return true;
    } catch {
      return false;
    }
  }

  get #owner(): UserId | undefined {
    const { standing } = this.#facts;
    return standing.kind === "owned" ? standing.userId : undefined;
  }

  /** What is said of a mailbox without an owner. */
  get #nobody(): Deleted | Unknown {
    return this.#facts.standing.kind === "deleted" ? DELETED : UNKNOWN;
  }

  async #register({ userId, genesis, upload }: Registration): Promise<Appended | Denied> {
    if (this.#facts.standing.kind === "deleted") throw new ProtocolError("replayed");
    if (userIdOfGenesis(genesis) !== userId || this.ctx.id.name !== this.#names.mailbox(userId)) throw new ProtocolError("bad-address");
    if (this.#owner === undefined) {
      const nowSeconds = Math.floor(Date.now() / 1000);
      requireAdmitted(undefined, { entry: genesis, upload }, nowSeconds);
      this.#inOneStep(() => {
        this.ctx.storage.sql.exec(SCHEMA);
        this.#facts.own(userId);
        this.#leader.intend(1, { entry: genesis, upload });
      });
      await this.ctx.storage.setAlarm(Date.now() + retryAfter(0));
    }
    await this.#settle(userId);
    return { kind: "appended", length: 1, hash: sha256(genesis) };
  }

  async #appendLog({ entry, upload }: LogAppend): Promise<Appended | LogConflict | Denied | Unknown> {
    const userId = this.#owner;
    if (userId === undefined) return UNKNOWN;
    await this.#settle(userId);
    const placed = await this.#leader.check(userId, { entry, upload }, Math.floor(Date.now() / 1000));
    if (placed.kind === "conflict") return { kind: "conflict" };
    if (placed.kind === "placed") {
      this.#leader.intend(placed.sequence, { entry, upload });
      await this.ctx.storage.setAlarm(Date.now() + retryAfter(0));
      if (!(await this.#settle(userId))) return { kind: "conflict" };
    }
    return { kind: "appended", length: placed.sequence, hash: sha256(entry) };
  }

  async #settle(userId: UserId): Promise<boolean> {
    const stands = await this.#leader.settle(
      userId,
      Math.floor(Date.now() / 1000),
      (account, entry) => this.#follow(account, entry),
      (change) => this.#inOneStep(change),
    );
    if (this.#owner === undefined) await this.#sayEnd();
    else this.#showChanges(Date.now());
    return stands;
  }

  /** What the tables have to say of an account that has changed. */
  #follow(account: AccountState, entry: Bytes): void {
    if (account.deletedSeconds !== undefined) {
      this.#end();
      return;
    }
    const now = Date.now();
    // Whoever asked is in, or everybody that it could ask is out. Others ask again.
    if (account.devices.some(({ deviceId }) => this.#registry.find(deviceId) === undefined)) this.#linkRequests.drop();
    for (const deviceId of this.#registry.follow(account, now)) this.#dropQueue(deviceId);
    if (account.head.length === 1) return;
    // Named after the entry, so that it is there once however often this runs.
    const messageId = parseMessageId(uuidFromBytes(sha256(entry).subarray(0, 16)));
    this.#notify(messageId, { kind: "log-changed" }, now);
  }

  /** All of it goes and the tombstone comes in one step: at no moment is this nobody's mailbox, which could be made again. */
  #end(): void {
    this.ctx.storage.sql.exec(REMOVE);
    this.#facts.end();
    this.#forget();
  }

  /** After the transaction. What a crash leaves of it does no harm: sockets are closed when they say something, alarms find no owner. */
  async #sayEnd(): Promise<void> {
    this.#sockets.closeAll(undefined, CLOSE.deleted);
    await this.ctx.storage.deleteAlarm();
  }

  #upkeep(now: number): void {
    for (const { deviceId } of this.#registry.active) {
      if (this.#sockets.of(deviceId, now) !== undefined) this.#registry.see(deviceId, now, Math.random());
    }
    this.#inOneStep(() => {
      const forgotten = this.#registry.forget(now);
      for (const deviceId of forgotten) this.#dropQueue(deviceId);
      for (const deviceId of forgotten) this.#notify(newMessageId(), { kind: "device-dropped", deviceId }, now);
      for (const { deviceId } of this.#registry.active) this.#queue.expire(deviceId, now);
      this.#budgets.clear(now);
    });
    this.#showChanges(now);
  }

  #dropQueue(deviceId: DeviceId): void {
    this.#queue.drop(deviceId);
    this.#attempts.drop(deviceId);
  }

  /** Makes sockets follow the tables. After the transaction, and again by the alarm: a crash in between is made good. */
  #showChanges(now: number): void {
    for (const deviceId of this.#sockets.devices) {
      if (this.#registry.find(deviceId) === undefined) this.#sockets.closeAll(deviceId, CLOSE.unauthorized);
    }
    for (const { deviceId } of this.#registry.active) this.#delivery.push(deviceId, now);
  }

  /** A notice for every device; one whose queue is full finds out by itself. */
  #notify(messageId: MessageId, notice: Notice["notice"], now: number): void {
    const envelope = noticeEnvelope(messageId, encodeNotice({ notice }), "queued");
    for (const { deviceId } of this.#registry.active) {
      if (this.#queue.has(deviceId, messageId) || !fitsQuota(this.#queue.size(deviceId), envelope.length)) continue;
      this.#queue.put(deviceId, messageId, envelope, now);
    }
  }

  /** Now, or when the device connects while it is pending; and not in the queue, where it would be found too late. */
  #showLinkRequest(deviceId: DeviceId, now: number): void {
    const pending = this.#linkRequests.pending(now);
    if (pending === undefined) return;
    const content = encodeNotice({ notice: { kind: "link-requested", ...pending } });
    this.#delivery.pass(deviceId, noticeEnvelope(newMessageId(), content, "ephemeral"), now);
  }

  /** The alarm never moves later by this. */
  async #wakeToForget(): Promise<void> {
    const expires = this.#linkRequests.expiresMilliseconds;
    if (expires === undefined) return;
    const due = await this.ctx.storage.getAlarm();
    if (due === null || due > expires) await this.ctx.storage.setAlarm(expires);
  }

  /** Passes typing and presence on to somebody else's mailbox. It may be lost, and nobody is told. */
  async #forward({ userId, devices }: SendEphemeral): Promise<void> {
    const copies = devices.map(({ deviceId, registrationId, content }) => ({ deviceId, registrationId, content }));
    // The class behind this binding is this one.
    const mailbox = mailboxNamespace(this.env).getByName(this.#names.mailbox(userId)) as unknown as MailboxApi;
    try {
      await mailbox.accept({ messageId: newMessageId(), scope: "some", ephemeral: true, devices: copies });
    } catch {
      // A mailbox that is not to be had now: the message is dropped, as its class says.
    }
  }

  /** What memory knows of the tables is forgotten when the tables did not come to be what it knows. */
  #inOneStep(change: () => void): void {
    try {
      this.ctx.storage.transactionSync(change);
    } catch (error) {
      this.#forget();
      throw error;
    }
  }

  #forget(): void {
    this.#facts.forget();
    this.#registry.reload();
    this.#queue.forget();
    this.#attempts.forget();
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#lastAppend.then(work);
    this.#lastAppend = turn.catch(() => undefined);
    return await turn;
  }

  #accountStore(userId: UserId): AccountStore {
    const databases = databasesOf({ ...this.env });
    return new AccountStore(databaseOf(databases, this.#names.slot(uuidToBytes(userId))), userId);
  }

  get #names(): ServerNames {
    this.#serverNames ??= new ServerNames(parseServerSeed(this.env.SERVER_SEED));
    return this.#serverNames;
  }
}

function readFrame(bytes: Bytes): ReturnType<typeof decodeClientFrame>["frame"] | undefined {
  try {
    return decodeClientFrame(bytes).frame;
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

async function refusalsAsValues<T>(work: () => Promise<T>): Promise<T | Denied> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ProtocolError || error instanceof WireError) return { kind: "denied", code: error.code };
    throw error;
  }
}

function newMessageId(): MessageId {
  return parseMessageId(crypto.randomUUID());
}
