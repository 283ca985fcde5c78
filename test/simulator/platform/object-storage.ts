// The storage of one Durable Object, and its output gate: what leaves the object waits until everything that it wrote before
// is durable. A crash takes back what was not; nobody has seen anything of it by then. The disk outlives the object; each
// life of the object has a handle of its own, which ends with that life.

import { SqlDatabase, type Row, type Value } from "./sql-database.ts";
import type { Surroundings } from "./surroundings.ts";

export interface DiskImage {
  readonly database: Uint8Array;
  readonly alarm: number | undefined;
}

/** Says whether the object has crashed right there. */
export type CrashPoint = () => boolean;

export class ObjectDisk {
  readonly #surroundings: Surroundings;
  readonly #database: SqlDatabase;
  readonly #crashes: CrashPoint;
  readonly #onAlarm: (at: number | undefined) => void;
  #alarm: number | undefined;
  #durableAlarm: number | undefined;
  #isDirty = false;
  #held: (() => void)[] = [];
  #epoch = 0;

  constructor(
    surroundings: Surroundings,
    { crashes, onAlarm, image }: { crashes: CrashPoint; onAlarm: (at: number | undefined) => void; image?: DiskImage },
  ) {
    this.#surroundings = surroundings;
    this.#crashes = crashes;
    this.#onAlarm = onAlarm;
    this.#database = new SqlDatabase(image?.database);
    this.#alarm = image?.alarm;
    this.#durableAlarm = image?.alarm;
  }

  get isQuiet(): boolean {
    return !this.#isDirty && this.#held.length === 0;
  }

  get alarm(): number | undefined {
    return this.#alarm;
  }

  setAlarm(at: number | undefined): void {
    this.#touch();
    this.#alarm = at;
  }

  query(sql: string, values: readonly Value[]): readonly Row[] {
    if (!/^\s*select/i.test(sql)) this.#touch();
    this.#surroundings.watch?.statement(sql, values);
    if (values.length === 0 && sql.trimEnd().endsWith(";")) {
      this.#database.run(sql);
      return [];
    }
    return this.#database.query(sql, values);
  }

  transaction<T>(work: () => T): T {
    this.#touch();
    this.#database.run("SAVEPOINT step");
    try {
      const result = work();
      this.#database.run("RELEASE step");
      return result;
    } catch (error) {
      this.#database.run("ROLLBACK TO step; RELEASE step");
      throw error;
    }
  }

  output(leave: () => void): void {
    if (this.isQuiet) leave();
    else this.#held.push(leave);
  }

  /** Back to what was durable. */
  crash(): void {
    this.#epoch++;
    this.#held = [];
    if (this.#isDirty) this.#database.run("ROLLBACK");
    this.#isDirty = false;
    this.#alarm = this.#durableAlarm;
    this.#onAlarm(this.#alarm);
  }

  image(): DiskImage {
    if (!this.isQuiet) throw new Error("something is not durable yet");
    return { database: this.#database.image(), alarm: this.#durableAlarm };
  }

  close(): void {
    this.#database.close();
  }

  #touch(): void {
    if (this.#isDirty) return;
    this.#isDirty = true;
    this.#database.run("BEGIN");
    const epoch = this.#epoch;
    const { clock, dice, faults } = this.#surroundings;
    clock.after(dice.roll(faults.flush + 1), () => {
      if (epoch === this.#epoch) this.#flush();
    });
  }

  #flush(): void {
    if (this.#crashes()) return;
    this.#database.run("COMMIT");
    this.#isDirty = false;
    if (this.#durableAlarm !== this.#alarm) this.#onAlarm(this.#alarm);
    this.#durableAlarm = this.#alarm;
    if (this.#crashes()) return;
    const held = this.#held;
    this.#held = [];
    for (const leave of held) leave();
  }
}

/** `ctx.storage` of one life. */
export class ObjectStorage {
  readonly #disk: ObjectDisk;
  #isOver = false;

  constructor(disk: ObjectDisk) {
    this.#disk = disk;
  }

  readonly sql = {
    exec: (sql: string, ...values: readonly Value[]): Cursor => {
      this.#requireLife();
      return new Cursor(this.#disk.query(sql, values));
    },
  };

  transactionSync<T>(work: () => T): T {
    this.#requireLife();
    return this.#disk.transaction(work);
  }

  async setAlarm(at: number | Date): Promise<void> {
    this.#requireLife();
    this.#disk.setAlarm(Number(at));
    await Promise.resolve();
  }

  async getAlarm(): Promise<number | null> {
    this.#requireLife();
    return await Promise.resolve(this.#disk.alarm ?? null);
  }

  async deleteAlarm(): Promise<void> {
    this.#requireLife();
    this.#disk.setAlarm(undefined);
    await Promise.resolve();
  }

  /** Behind the gate. What a life that is over wants to say, nobody hears. */
  output(leave: () => void): void {
    if (!this.#isOver) this.#disk.output(leave);
  }

  end(): void {
    this.#isOver = true;
  }

  #requireLife(): void {
    if (this.#isOver) throw new Error("this object is gone");
  }
}

/** The rows of a statement, with blobs as the platform gives them. */
class Cursor implements Iterable<Readonly<Record<string, string | number | null | ArrayBuffer>>> {
  readonly #rows: readonly Row[];

  constructor(rows: readonly Row[]) {
    this.#rows = rows;
  }

  *[Symbol.iterator](): Generator<Readonly<Record<string, string | number | null | ArrayBuffer>>> {
    for (const row of this.#rows) {
      yield Object.fromEntries(Object.entries(row).map(([name, value]) => [name, value instanceof Uint8Array ? ownBuffer(value) : value]));
    }
  }

  /** @throws Error when there is not exactly one */
  one(): Readonly<Record<string, string | number | null | ArrayBuffer>> {
    const [row, ...others] = [...this];
    if (row === undefined || others.length > 0) throw new Error("Expected exactly one result from SQL query");
    return row;
  }

  toArray(): readonly Readonly<Record<string, string | number | null | ArrayBuffer>>[] {
    return [...this];
  }
}

function ownBuffer(bytes: Uint8Array<ArrayBuffer>): ArrayBuffer {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes.buffer : bytes.slice().buffer;
}
