// Who has a queue here: the devices that the account log says are active. Written when the log has changed; the log in
// D1 is the truth, and this is what the mailbox acts by.

import { type Bytes, type DeviceId, parseDeviceId, parseRegistrationId } from "#wire";
import type { AccountState } from "#identity";
import { dayOf, isForgotten, type RegisteredDevice, seenMark } from "./core.ts";

export interface KnownDevice extends RegisteredDevice {
  /** 33 bytes. */
  readonly identityKey: Bytes;
  /** In the log, but not seen for so long that nothing is kept for it until it comes back. */
  readonly isDropped: boolean;
  readonly seenDay: number;
}

export class DeviceRegistry {
  readonly #sql: SqlStorage;
  #devices: readonly KnownDevice[] | undefined;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Those that a sender has to write to. */
  get active(): readonly KnownDevice[] {
    return this.#all.filter(({ isDropped }) => !isDropped);
  }

  find(deviceId: DeviceId): KnownDevice | undefined {
    return this.#all.find((device) => device.deviceId === deviceId);
  }

  /** Makes the registry say what the account says. Returns the devices that are gone. */
  follow(account: AccountState, nowMilliseconds: number): readonly DeviceId[] {
    const gone = this.#all.filter(({ deviceId }) => !account.devices.some((device) => device.deviceId === deviceId));
    for (const { deviceId } of gone) this.#sql.exec("DELETE FROM devices WHERE device = ?1", deviceId);
    for (const { deviceId, registrationId, identityKey } of account.devices) {
      this.#sql.exec(
        "INSERT INTO devices (device, registration, identity_key, seen_day) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (device) DO NOTHING",
        deviceId,
        registrationId,
        identityKey.encode().buffer,
        dayOf(nowMilliseconds),
      );
    }
    this.#devices = undefined;
    return gone.map(({ deviceId }) => deviceId);
  }

  /** The device is here. Writes nothing on most days. */
  see(deviceId: DeviceId, nowMilliseconds: number, blur: number): void {
    const device = this.find(deviceId);
    if (device === undefined) return;
    const mark = seenMark(device.seenDay, dayOf(nowMilliseconds), blur);
    if (mark === device.seenDay && !device.isDropped) return;
    this.#sql.exec("UPDATE devices SET seen_day = ?2, dropped = 0 WHERE device = ?1", deviceId, mark);
    this.#devices = undefined;
  }

  /** Drops devices that were not seen for too long, and says which. */
  forget(nowMilliseconds: number): readonly DeviceId[] {
    const forgotten = this.active.filter(({ seenDay }) => isForgotten(seenDay, dayOf(nowMilliseconds)));
    for (const { deviceId } of forgotten) this.#sql.exec("UPDATE devices SET dropped = 1 WHERE device = ?1", deviceId);
    this.#devices = undefined;
    return forgotten.map(({ deviceId }) => deviceId);
  }

  /** Reads again what a transaction that was rolled back, or a table that is gone, has changed. */
  reload(): void {
    this.#devices = undefined;
  }

  get #all(): readonly KnownDevice[] {
    this.#devices ??= this.#read();
    return this.#devices;
  }

  #read(): readonly KnownDevice[] {
    const rows = this.#sql.exec<{ device: number; registration: number; identity_key: ArrayBuffer; seen_day: number; dropped: number }>(
      "SELECT device, registration, identity_key, seen_day, dropped FROM devices ORDER BY device",
    );
    return [...rows].map((row) => ({
      deviceId: parseDeviceId(row.device),
      registrationId: parseRegistrationId(row.registration),
      identityKey: new Uint8Array(row.identity_key),
      isDropped: row.dropped === 1,
      seenDay: row.seen_day,
    }));
  }
}
