// The devices of the account, and the way to become one: on a store without an account these are the ways to get it.

import { activeDevice } from "#identity";
import { openLinkCode, type LinkTicket } from "#protocol";
import { type UserId, WireError } from "#wire";
import type {
  Account,
  ApproveLink,
  Devices,
  HistoryChoice,
  HistoryTransfer,
  LinkAsked,
  LinkedDevice,
  LinkRequest,
  Live,
  Options,
  RecoveryKeys,
  RecoveryState,
  RequestLink,
} from "../api.ts";
import type { Core } from "../core.ts";
import { ClientError } from "../errors.ts";
import { givenOneOf } from "../given.ts";
import type { OwnAccount } from "../records/tables.ts";
import { deviceIdOf, linkedDevices } from "../devices/list.ts";
import { giveHistory, HISTORY_TOPIC } from "../history/giving.ts";
import { transfersIn } from "../history/transfers.ts";
import { nameDevice, OWN_DEVICES, requireDeviceName } from "../devices/names.ts";
import { revoke } from "../devices/revoke.ts";
import type { Views } from "./views.ts";
import { parseWho } from "./link.ts";
import type { LinkRequests } from "./link-requests.ts";

const HISTORIES = ["30d", "all"] as const satisfies readonly HistoryChoice[];

export interface DevicesParts {
  readonly core: Core;
  readonly server: string;
  readonly requests: LinkRequests;
  /** @throws ClientError `not-registered`, `closed` */
  readonly views: () => Views;
  /** Until what it returns is called nobody else makes keys here. @throws ClientError `already-registered`, `in-progress` */
  readonly claim: () => () => void;
  readonly signIn: (account: OwnAccount | undefined) => void;
  /** The account is there. */
  readonly begin: (account: OwnAccount) => Account;
}

export class OwnDevices implements Devices {
  readonly requests: Live<readonly LinkAsked[]>;
  readonly #parts: DevicesParts;
  #live: Live<readonly LinkedDevice[]> | undefined;
  #history: Live<readonly HistoryTransfer[]> | undefined;

  constructor(parts: DevicesParts) {
    this.#parts = parts;
    this.requests = parts.requests.pending;
  }

  get live(): Live<readonly LinkedDevice[]> {
    const views = this.#parts.views();
    const { sending } = views.engine;
    this.#live ??= views.live<readonly LinkedDevice[]>([], [OWN_DEVICES], (records) => linkedDevices(sending, records));
    return this.#live;
  }

  async list({ signal }: Options = {}): Promise<readonly LinkedDevice[]> {
    const { sending } = this.#parts.views().engine;
    await sending.accounts.refresh(sending.self.local.address.userId, signal);
    return await sending.vault.read((records) => linkedDevices(sending, records));
  }

  async requestLink({ name, account, signal }: RequestLink): Promise<LinkRequest> {
    const { core, server, claim, signIn, begin } = this.#parts;
    const end = claim();
    try {
      const digits = Promise.withResolvers<string>();
      const by = account === undefined ? ({ kind: "code" } as const) : ({ kind: "request", userId: userIdOf(account, server) } as const);
      const { join } = await import("../devices/join.ts");
      const input = { core, server, name: requireDeviceName(name), by, signIn, showDigits: digits.resolve, signal };
      const joining = await join(input);
      const done = joining.finish().then(begin).finally(end);
      // Whoever waits for one of the two need not look at the other.
      done.catch((error: unknown) => digits.reject(error));
      digits.promise.catch(() => undefined);
      return { link: joining.link, digits: digits.promise, done };
    } catch (error) {
      end();
      throw error;
    }
  }

  async approveLink(what: string | LinkAsked, { digits, history = "none", signal }: ApproveLink): Promise<LinkedDevice> {
    const { sending } = this.#parts.views().engine;
    givenOneOf(history, ["none", ...HISTORIES], "the history that is given");
    const { approveLink } = await import("../devices/approve.ts");
    const ticket = typeof what === "string" ? await this.#ticketIn(what) : this.#ticketOf(what);
    const ask = typeof digits === "string" ? onlyOnce(digits) : digits;
    const deviceId = await approveLink({ sending, ticket, digits: ask, history: history === "none" ? undefined : history, signal });
    const linked = (await sending.vault.read((records) => linkedDevices(sending, records))).find((device) => device.deviceId === deviceId);
    if (linked === undefined) throw new ClientError("unknown-device");
    return linked;
  }

  get history(): Live<readonly HistoryTransfer[]> {
    this.#history ??= this.#parts.views().live<readonly HistoryTransfer[]>([], [HISTORY_TOPIC], transfersIn);
    return this.#history;
  }

  async giveHistory(deviceId: number, history: HistoryChoice, { signal }: Options = {}): Promise<void> {
    givenOneOf(history, HISTORIES, "the history that is given");
    const { sending } = this.#parts.views().engine;
    const { accounts, self } = sending;
    const { userId, deviceId: ourId } = self.local.address;
    const account = await accounts.refresh(userId, signal);
    const device = activeDevice(account, deviceIdOf(deviceId));
    if (device === undefined || device.deviceId === ourId) throw new ClientError("unknown-device");
    await sending.vault.write((records) => giveHistory(sending, records, device, history));
  }

  async rename(deviceId: number, name: string): Promise<void> {
    const { sending } = this.#parts.views().engine;
    const id = deviceIdOf(deviceId);
    const wanted = requireDeviceName(name);
    await sending.vault.write(async (records) => {
      if (!(await linkedDevices(sending, records)).some((device) => device.deviceId === id)) throw new ClientError("unknown-device");
      await nameDevice(sending, records, id, wanted);
    });
  }

  async revoke(deviceId: number, { signal }: Options = {}): Promise<void> {
    const { sending, groups } = this.#parts.views().engine;
    await revoke(sending, deviceIdOf(deviceId), signal);
    // It is out in any case. What cannot be rotated now is by the next program that can.
    await groups.rotateNow(signal).catch(() => undefined);
  }

  async #ticketIn(text: string): Promise<LinkTicket> {
    const { notALink, parseLinkText } = await import("../devices/link-text.ts");
    try {
      return openLinkCode(parseLinkText(text, this.#parts.server));
    } catch (error) {
      throw error instanceof WireError ? notALink() : error;
    }
  }

  #ticketOf(asked: LinkAsked): LinkTicket {
    const request = this.#parts.requests.answer(asked);
    if (request === undefined) throw new ClientError("link-expired");
    return { rendezvousId: request.rendezvousId, commitment: request.commitment, secret: undefined };
  }
}

/** Without a token nobody looks up a username. */
function userIdOf(account: string, server: string): UserId {
  const named = parseWho(account, server);
  if (named.kind === "user") return named.userId;
  throw new ClientError("bad-argument", { detail: "a new device names the account by its contact link or userId" });
}

/** Digits that were known before the device was met can only be tried once. */
function onlyOnce(digits: string): () => Promise<string> {
  let isTried = false;
  return async () => {
    if (isTried) throw new ClientError("wrong-digits");
    isTried = true;
    return await Promise.resolve(digits);
  };
}

export class OwnRecoveryKeys implements RecoveryKeys {
  readonly #parts: DevicesParts;

  constructor(parts: DevicesParts) {
    this.#parts = parts;
  }

  async state(): Promise<RecoveryState> {
    const { sending } = this.#parts.views().engine;
    const { recoveryState } = await import("../devices/recovery.ts");
    return await sending.vault.read((records) => recoveryState(sending, records));
  }

  async create({ current, signal }: Parameters<RecoveryKeys["create"]>[0] = {}): Promise<string> {
    const { sending } = this.#parts.views().engine;
    const { createRecoveryKey } = await import("../devices/recovery.ts");
    return await createRecoveryKey(sending, current, signal);
  }

  async restore(key: string, { signal }: Options = {}): Promise<Account> {
    const { core, server, claim, begin } = this.#parts;
    const end = claim();
    try {
      const { restoreAccount } = await import("../devices/recovery.ts");
      return begin(await restoreAccount({ core, server, key, signal }));
    } finally {
      end();
    }
  }
}
