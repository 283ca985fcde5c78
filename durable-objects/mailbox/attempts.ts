// How often the oldest message of a device was delivered in vain. One row a device, written when a socket opens on a queue
// that is not empty; reconnecting is what a device does that breaks on a message.

import type { DeviceId } from "#wire";
import { type Attempts, NO_ATTEMPTS } from "./core.ts";

export class AttemptLog {
  readonly #sql: SqlStorage;
  readonly #known = new Map<DeviceId, Attempts>();

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  read(deviceId: DeviceId): Attempts {
    const known = this.#known.get(deviceId);
    if (known !== undefined) return known;
    const [row] = [
      ...this.#sql.exec<{ oldest: number; count: number; parked: string }>(
        "SELECT oldest, count, parked FROM attempts WHERE device = ?1",
        deviceId,
      ),
    ];
    const parked = row === undefined || row.parked === "" ? [] : row.parked.split(",").map(Number);
    const attempts = row === undefined ? NO_ATTEMPTS : { oldest: row.oldest, count: row.count, parked };
    this.#known.set(deviceId, attempts);
    return attempts;
  }

  write(deviceId: DeviceId, attempts: Attempts): void {
    const { oldest, count, parked } = attempts;
    this.#sql.exec(
      `INSERT INTO attempts (device, oldest, count, parked) VALUES (?1, ?2, ?3, ?4)
       ON CONFLICT (device) DO UPDATE SET oldest = ?2, count = ?3, parked = ?4`,
      deviceId,
      oldest,
      count,
      parked.join(","),
    );
    this.#known.set(deviceId, attempts);
  }

  drop(deviceId: DeviceId): void {
    this.#sql.exec("DELETE FROM attempts WHERE device = ?1", deviceId);
    this.#known.delete(deviceId);
  }

  forget(): void {
    this.#known.clear();
  }
}
