// Who is active: what mailboxes answered in the last half minute. A token outlives its device's revocation by that, but where
// the revocation came in, and in the mailbox itself, by nothing.

import { parseIdentityKey, type PublicKey } from "#crypto";
import type { DeviceAddress, DeviceId, UserId } from "#wire";
import type { Mailboxes } from "./mailboxes.ts";

export interface ActiveDevice {
  readonly userId: UserId;
  readonly deviceId: DeviceId;
  readonly identityKey: PublicKey;
}

const REMEMBERED_MILLISECONDS = 30_000;
const MAX_REMEMBERED = 10_000;

export class Devices {
  readonly #mailboxes: Mailboxes;
  readonly #remembered = new Map<string, { readonly device: ActiveDevice; readonly askedAt: number }>();

  constructor(mailboxes: Mailboxes) {
    this.#mailboxes = mailboxes;
  }

  /** `undefined` for a device that is not there. @throws Unavailable */
  async find(address: DeviceAddress, nowMilliseconds: number): Promise<ActiveDevice | undefined> {
    const name = `${address.userId} ${address.deviceId}`;
    const known = this.#remembered.get(name);
    if (known !== undefined && nowMilliseconds - known.askedAt < REMEMBERED_MILLISECONDS) return known.device;
    this.#remembered.delete(name);
    const device = await this.ask(address);
    if (device === undefined || device === "deleted") return undefined;
    if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.clear();
    // From when it was asked: the answer may be as old as that.
    this.#remembered.set(name, { device, askedAt: nowMilliseconds });
    return device;
  }

  /** The account's log has changed, by a request that came in here. */
  forget(userId: UserId): void {
    for (const name of this.#remembered.keys()) if (name.startsWith(`${userId} `)) this.#remembered.delete(name);
  }

  /** The same without memory, and whether it is the account that is there no more. @throws Unavailable */
  async ask({ userId, deviceId }: DeviceAddress): Promise<ActiveDevice | "deleted" | undefined> {
    const answer = await this.#mailboxes.retried(userId, (mailbox) => mailbox.device(deviceId));
    if (answer.kind === "deleted") return "deleted";
    if (answer.kind === "unknown") return undefined;
    return { userId, deviceId, identityKey: parseIdentityKey(new Uint8Array(answer.identityKey)) };
  }
}
