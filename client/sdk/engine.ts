// The engine of a registered client: the parts that send and receive, put together and kept going. Says nothing to users;
// client.ts does.

import { sealForOne } from "#protocol";
import { type Body, type DeviceMessage, type LinkRequested, pathOf, type UserId } from "#wire";
import { Accounts, DEVICES } from "../accounts.ts";
import { Avatars, isSettingAvatar } from "../avatars/avatars.ts";
import { AVATARS_TOPIC } from "../avatars/records.ts";
import type { Connection, ConnectionStatus } from "../connection-api.ts";
import { type Core, drawMessageId, type Self, UPLOADS_TOPIC } from "../core.ts";
import { OWN_DEVICES } from "../devices/names.ts";
import { announceUs, welcomeDevices } from "../devices/welcome.ts";
import { ClientError } from "../errors.ts";
import { JOINS_TOPIC } from "../groups/invites.ts";
import { GroupLogs } from "../groups/log.ts";
import { HISTORY_TOPIC } from "../history/giving.ts";
import { Histories, isTransferring } from "../history/transfers.ts";
import type { MediaServer } from "../media/media-server.ts";
import { REMOVALS_TOPIC } from "../media/stored-records.ts";
import { countUploads } from "../media/upload-records.ts";
import { Uploads } from "../media/uploads.ts";
import type { Network } from "../ports.ts";
import { maintainPreKeys } from "../prekeys.ts";
import { sweep } from "../upkeep.ts";
import { type Ephemeral, Inbox } from "../receiving/inbox.ts";
import { type ConversationId, SESSIONS } from "../records/tables.ts";
import { EVERYTHING, type Reader } from "../records/vault.ts";
import { certificateOf } from "../sending/certificate.ts";
import { encodeUnplaced, type Sending } from "../sending/compose.ts";
import { Outbox } from "../sending/outbox.ts";
import { countJobs } from "../sending/queue.ts";
import { sealFor } from "../sending/sealing.ts";
import type { Exchange } from "../transport/exchange.ts";
import type { Tokens } from "../transport/tokens.ts";
import { TrustRoots } from "../trust-roots.ts";
import { reconnectingSocket } from "../transport/reconnecting-socket.ts";
import { Receipts } from "./receipts.ts";

const UPKEEP_MILLISECONDS = 6 * 3600_000;
const FOLLOW_AGAIN_MILLISECONDS = 15_000;

export interface EngineParts {
  readonly core: Core;
  readonly self: Self;
  readonly network: Network;
  readonly exchange: Exchange;
  readonly tokens: Tokens;
  readonly url: string;
  readonly onStatus: (status: ConnectionStatus) => void;
  readonly onFailed: (error: unknown) => void;
  readonly onEphemeral: (ephemeral: Ephemeral) => void;
  readonly onLinkRequested: (request: LinkRequested) => void;
}

export class Engine {
  readonly sending: Sending;
  readonly outbox: Outbox;
  readonly uploads: Uploads;
  readonly histories: Histories;
  readonly receipts: Receipts;
  readonly inbox: Inbox;
  readonly groups: GroupLogs;
  readonly avatars: Avatars;
  readonly connection: Connection;
  readonly #parts: EngineParts;
  readonly #stopWatching: () => void;
  /** Groups' logs that are being read. */
  readonly #readings = new Set<Promise<void>>();
  #cancelUpkeep: () => void = () => undefined;
  #isMaintaining = false;
  #cancelFollow: (() => void) | undefined;
  #media: Promise<MediaServer> | undefined;
  /** Closed: who waits here is told so. */
  readonly #ended = new AbortController();

  constructor(parts: EngineParts) {
    this.#parts = parts;
    const { core, self, network, tokens, url } = parts;
    this.sending = { ...core, self, accounts: new Accounts(core, self.account.userId), trust: new TrustRoots(core, self.account) };
    this.outbox = new Outbox(this.sending, (groupId, signal) => this.groups.follow(groupId, signal));
    this.uploads = new Uploads(this.sending, () => this.media());
    this.histories = new Histories(this.sending, () => this.media());
    this.receipts = new Receipts(this.sending);
    this.inbox = new Inbox({
      sending: this.sending,
      trust: this.sending.trust,
      onEphemeral: parts.onEphemeral,
      onOwnLogChanged: () => this.#refreshOwnLog(),
      onLinkRequested: parts.onLinkRequested,
      onGroupChanged: (groupId) => this.#follow(this.groups.follow(groupId)),
    });
    this.groups = new GroupLogs({
      sending: this.sending,
      origin: url,
      changed: (records, groupId) => this.inbox.groups.retry(records, groupId),
      followLater: () => this.#followLater(),
    });
    this.avatars = new Avatars({
      sending: this.sending,
      server: () => this.media(),
      groups: this.groups,
      worker: () => this.uploads.worker,
    });
    this.connection = reconnectingSocket({
      url: `${url.replace(/^http/, "ws")}${pathOf("openSocket")}`,
      network,
      clock: core.clock,
      random: core.random,
      tokens,
      handler: {
        deliver: (deliveries) => this.inbox.deliver(deliveries),
        preKeysLow: () => this.#maintain(),
        caughtUp: () => this.inbox.caughtUp(),
        status: (status) => this.#statusChanged(status),
        failed: parts.onFailed,
      },
    });
    this.#stopWatching = core.vault.onChange((topics) => {
      if (topics.has("jobs") || topics.has(EVERYTHING)) this.outbox.wake();
      if (topics.has(UPLOADS_TOPIC) || topics.has(REMOVALS_TOPIC) || topics.has(EVERYTHING)) this.uploads.wake();
      if (topics.has(HISTORY_TOPIC) || topics.has(OWN_DEVICES) || topics.has(EVERYTHING)) this.histories.wake();
      if (topics.has(AVATARS_TOPIC) || topics.has(EVERYTHING)) this.avatars.wake();
      if (topics.has("owed") || topics.has(EVERYTHING)) this.receipts.schedule();
      if (topics.has(DEVICES)) this.groups.rotateWhereDue().catch(() => undefined);
      if (topics.has(JOINS_TOPIC)) this.#follow(this.groups.letInWhoMay());
    });
    this.outbox.wake();
    this.uploads.wake();
    this.histories.wake();
    this.avatars.wake();
  }

  /** Loaded when there are files. */
  async media(): Promise<MediaServer> {
    const { exchange, tokens } = this.#parts;
    this.#media ??= import("../media/media-server.ts").then(({ mediaServer }) => mediaServer(exchange, tokens));
    return await this.#media;
  }

  /** A log that cannot be read now is read when it can be. */
  #follow(reading: Promise<void>): void {
    const done = reading.catch(() => this.#followLater()).finally(() => this.#readings.delete(done));
    this.#readings.add(done);
  }

  #followLater(): void {
    if (this.#ended.signal.aborted || this.#cancelFollow !== undefined) return;
    this.#cancelFollow = this.sending.clock.after(FOLLOW_AGAIN_MILLISECONDS, () => {
      this.#cancelFollow = undefined;
      this.#follow(this.groups.followAll());
    });
  }

  /** Begins to receive. */
  open(): void {
    this.receipts.schedule();
    this.connection.open();
  }

  /** Now or never, to devices that there is a session with. */
  async sendEphemeral(recipient: UserId, body: Body): Promise<void> {
    const { sending } = this;
    const { vault, accounts, self, random, server } = sending;
    await accounts.catchUp(recipient);
    const senderCertificate = await certificateOf(sending);
    const devices = await vault.write(async (records) => {
      const account = await accounts.require(records, recipient);
      const content = await encodeUnplaced(sending, records, recipient, body);
      const copies: DeviceMessage[] = [];
      for (const { deviceId, registrationId, identityKey } of account.devices) {
        if ((await records.get(SESSIONS, recipient, deviceId))?.current === undefined) continue;
        const { kind, bytes } = await sealFor(sending, records, { userId: recipient, deviceId }, content);
        const sealed = {
          sender: self.local.identity,
          senderCertificate,
          kind,
          content: bytes,
          contentHint: 0,
          groupId: undefined,
        } as const;
        copies.push({ deviceId, registrationId, content: sealForOne({ ...sealed, recipient: identityKey }, random) });
      }
      return copies;
    });
    if (devices.length === 0) return;
    if (this.connection.sendEphemeral({ userId: recipient, capability: undefined, devices })) return;
    await server.sendMessages(recipient, { messageId: drawMessageId(random), scope: "some", devices, ephemeral: true });
  }

  /** Resolves when everything owed is out, and pictures are here if they are waited for. @throws the error that keeps it from going */
  async settled({ signal, pictures }: { readonly signal: AbortSignal | undefined; readonly pictures: boolean }): Promise<void> {
    const stop = this.#orEnded(signal);
    await this.#read(stop);
    stop.throwIfAborted();
    await this.receipts.flush();
    this.#retryNow();
    await this.#until(
      async () => (await this.queued()) === 0 && !(await this.sending.vault.read((records) => this.#isMoving(records, pictures))),
      () => this.outbox.failures[0] ?? this.uploads.failures[0] ?? this.histories.failure ?? this.avatars.failures[0],
      stop,
    );
  }

  async #isMoving(records: Reader, pictures: boolean): Promise<boolean> {
    if ((await isTransferring(records)) || (await isSettingAvatar(records))) return true;
    return pictures && (await this.avatars.isFetching(records));
  }

  async queued(): Promise<number> {
    return await this.sending.vault.read(async (records) => (await countJobs(records)) + (await countUploads(records)));
  }

  /** Waits for something that the outbox, the uploads or the pictures bring about. */
  async until(isSo: () => Promise<boolean>, recipient: ConversationId, signal?: AbortSignal): Promise<void> {
    const failure = (): ClientError | undefined => this.uploads.failureOf(recipient) ?? this.avatars.failureOf(recipient);
    await this.#until(isSo, () => this.outbox.failureOf(recipient) ?? failure(), this.#orEnded(signal));
  }

  async close(): Promise<void> {
    this.#ended.abort(new ClientError("closed"));
    this.#cancelUpkeep();
    this.#cancelFollow?.();
    this.receipts.close();
    this.inbox.close();
    await this.connection.close();
    this.#stopWatching();
    await this.histories.close();
    await this.avatars.close();
    await this.uploads.close();
    await this.outbox.close();
  }

  #retryNow(): void {
    this.outbox.retryNow();
    this.uploads.retryNow();
    this.histories.retryNow();
    this.avatars.retryNow();
  }

  #orEnded(signal: AbortSignal | undefined): AbortSignal {
    const { signal: ended } = this.#ended;
    return signal === undefined ? ended : AbortSignal.any([signal, ended]);
  }

  async #until(isSo: () => Promise<boolean>, failure: () => ClientError | undefined, signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      const changed = this.#nextChange(signal);
      try {
        if (await isSo()) return;
        const error = failure();
        if (error !== undefined) throw error;
        await changed.promise;
      } finally {
        changed.forget();
      }
    }
  }

  /** Until what has come about groups is understood: messages may have waited for it, and are owed receipts. */
  async #read(signal: AbortSignal): Promise<void> {
    const { promise: aborted, resolve } = Promise.withResolvers<void>();
    const abort = (): void => resolve();
    signal.addEventListener("abort", abort);
    try {
      while (this.#readings.size > 0) {
        signal.throwIfAborted();
        await Promise.race([Promise.all(this.#readings), aborted]);
      }
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  #nextChange(signal: AbortSignal): { readonly promise: Promise<void>; readonly forget: () => void } {
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = (): void => resolve();
    const workers = [this.outbox, this.uploads, this.histories, this.avatars];
    const undo = [this.sending.vault.onChange(wake), ...workers.map((worker) => worker.onTried(wake))];
    signal.addEventListener("abort", wake);
    return {
      promise,
      forget() {
        for (const stop of undo) stop();
        signal.removeEventListener("abort", wake);
      },
    };
  }

  #statusChanged(status: ConnectionStatus): void {
    if (status === "catching-up") this.#retryNow();
    if (status !== "live") this.inbox.away();
    if (status === "live") {
      this.#maintain();
      this.#follow(this.groups.followAll());
      this.#follow(this.groups.letInWhoMay());
      welcomeDevices(this.sending).catch(() => undefined);
      announceUs(this.sending).catch(() => undefined);
      // A program before this one may have learned of a device that is gone, and ended.
      this.groups.rotateWhereDue().catch(() => undefined);
    }
    this.#parts.onStatus(status);
  }

  /** A hint that is lost is no loss: it is done again on a schedule. */
  #maintain(): void {
    this.#cancelUpkeep();
    this.#cancelUpkeep = this.sending.clock.after(UPKEEP_MILLISECONDS, () => this.#maintain());
    sweep(this.sending).catch(() => undefined);
    this.histories.wake();
    this.avatars.wake();
    if (this.#isMaintaining) return;
    this.#isMaintaining = true;
    maintainPreKeys(this.sending, this.sending.self)
      .catch(() => undefined)
      .finally(() => {
        this.#isMaintaining = false;
      });
  }

  #refreshOwnLog(): void {
    this.sending.accounts.refresh(this.sending.self.local.address.userId).catch(() => undefined);
  }
}
