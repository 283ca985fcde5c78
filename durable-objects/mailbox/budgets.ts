// Hard limits, counted where there is one writer: how many one-time keys of the owner are given away, how often the owner
// asks for others', and how much the owner uploads. Each is a row that is written while there is something left, and not when there is nothing.

import { type DeviceId, MEDIA_BYTES_PER_DAY, UsageError } from "#wire";

const HOUR_SECONDS = 3600;
const DAY_SECONDS = 24 * 3600;
/** One-time keys of one device in an hour, whoever asks. */
const KEYS_PER_DEVICE = 20;
/** One-time keys for one requester in an hour. */
const KEYS_PER_REQUESTER = 2;
/** Fetches of others' keys by the owner in a day. */
const FETCHES_PER_DAY = 600;
/** Requests to link a device in an hour: anybody may make one, and each asks a person. */
const LINK_REQUESTS_PER_HOUR = 5;
const MAX_REQUESTER_CHARACTERS = 64;

/** What the server's settings say, or the default. @throws UsageError for no number: the server must not start. */
export function mediaBytesPerDay(setting: string | undefined): number {
  if (setting === undefined || setting === "") return MEDIA_BYTES_PER_DAY;
  if (!/^[0-9]{1,15}$/.test(setting)) throw new UsageError("bad-argument", "MEDIA_BYTES_PER_DAY is a number of bytes");
  return Number(setting);
}

export class Budgets {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** The devices that may give a one-time key to this requester now. */
  spendKeys(devices: readonly DeviceId[], requester: string, nowMilliseconds: number): readonly DeviceId[] {
    const hour = windowOf(nowMilliseconds, HOUR_SECONDS);
    const able = devices.filter((deviceId) => this.#spent(nameOfDevice(deviceId), hour) < KEYS_PER_DEVICE);
    if (able.length === 0 || requester.length > MAX_REQUESTER_CHARACTERS) return [];
    if (!this.#spend(`requester ${requester}`, hour, KEYS_PER_REQUESTER)) return [];
    return able.filter((deviceId) => this.#spend(nameOfDevice(deviceId), hour, KEYS_PER_DEVICE));
  }

  /** False when the owner has asked often enough for today. */
  spendFetch(nowMilliseconds: number): boolean {
    return this.#spend("fetches", windowOf(nowMilliseconds, DAY_SECONDS), FETCHES_PER_DAY);
  }

  /** False when so many bytes more are too many for today. They count also when the upload comes to nothing. */
  spendMedia(bytes: number, limit: number, nowMilliseconds: number): boolean {
    return this.#spend("media", windowOf(nowMilliseconds, DAY_SECONDS), limit, bytes);
  }

  /** False when enough devices have asked to be linked in this hour. */
  spendLinkRequest(nowMilliseconds: number): boolean {
    return this.#spend("link requests", windowOf(nowMilliseconds, HOUR_SECONDS), LINK_REQUESTS_PER_HOUR);
  }

  /** Drops what was counted about requesters in hours that are over, and about uploads in days that are. */
  clear(nowMilliseconds: number): void {
    const hour = windowOf(nowMilliseconds, HOUR_SECONDS);
    const day = windowOf(nowMilliseconds, DAY_SECONDS);
    this.#sql.exec("DELETE FROM spent WHERE budget GLOB 'requester *' AND window < ?1 OR budget = 'media' AND window < ?2", hour, day);
  }

  #spend(budget: string, window: number, limit: number, more = 1): boolean {
    const amount = this.#spent(budget, window) + more;
    if (amount > limit) return false;
    this.#sql.exec(
      "INSERT INTO spent (budget, window, amount) VALUES (?1, ?2, ?3) ON CONFLICT (budget) DO UPDATE SET window = ?2, amount = ?3",
      budget,
      window,
      amount,
    );
    return true;
  }

  /** A window that has not come yet, by a clock that stepped back, counts on: stepping back refills nothing. */
  #spent(budget: string, window: number): number {
    const [row] = [...this.#sql.exec<{ amount: number }>("SELECT amount FROM spent WHERE budget = ?1 AND window >= ?2", budget, window)];
    return row?.amount ?? 0;
  }
}

function nameOfDevice(deviceId: DeviceId): string {
  return `device ${deviceId}`;
}

function windowOf(nowMilliseconds: number, seconds: number): number {
  return Math.floor(nowMilliseconds / 1000 / seconds);
}
