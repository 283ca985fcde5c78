// D1: a database that is reached over a network. A batch is one transaction, and durable when it is answered; an answer may
// be late, or be lost after the batch took effect, or the batch may never have come.

import type { Life } from "./object-host.ts";
import { type Row, SqlDatabase, type Value } from "./sql-database.ts";
import type { Surroundings } from "./surroundings.ts";

interface Answer {
  readonly success: true;
  readonly results: readonly Readonly<Record<string, unknown>>[];
}

/** Longer than anybody waits. */
const SLOW_MILLISECONDS = 4000;

export class SimulatedDatabase {
  readonly #surroundings: Surroundings;
  readonly #database: SqlDatabase;
  readonly #crashServer: () => boolean;

  constructor(surroundings: Surroundings, crashServer: () => boolean, from: { readonly image: Uint8Array } | { readonly schema: string }) {
    this.#surroundings = surroundings;
    this.#crashServer = crashServer;
    this.#database = new SqlDatabase("image" in from ? from.image : undefined);
    if ("schema" in from) this.#database.run(from.schema);
  }

  /** What is bound for one life of a program. */
  bind(life: Life): D1 {
    return new D1((statements) => this.#ask(statements, life));
  }

  image(): Uint8Array {
    return this.#database.image();
  }

  close(): void {
    this.#database.close();
  }

  #ask(statements: readonly Statement[], life: Life): Promise<readonly Answer[]> {
    const { clock, dice, faults } = this.#surroundings;
    return new Promise((resolve, reject) => {
      const fail = (): void => reject(new Error("D1_ERROR: Network connection lost."));
      const answer = (act: () => void): void => {
        clock.after(dice.roll(3), () => {
          if (life.isAlive()) act();
        });
      };
      const execute = (): void => {
        if (this.#crashServer()) return;
        const isLost = dice.chance(faults.failDatabase);
        if (isLost && dice.chance(0.5)) return answer(fail);
        const done = this.#execute(statements);
        if (this.#crashServer()) return;
        if (isLost) answer(fail);
        else if (done instanceof Error) answer(() => reject(done));
        else answer(() => resolve(done));
      };
      life.leave(() => clock.after(dice.chance(faults.slowDatabase) ? SLOW_MILLISECONDS : dice.roll(3), execute));
    });
  }

  #execute(statements: readonly Statement[]): readonly Answer[] | Error {
    this.#database.run("BEGIN");
    try {
      const answers = statements.map(({ sql, values }): Answer => ({
        success: true,
        results: this.#database.query(sql, values).map(asJson),
      }));
      this.#database.run("COMMIT");
      return answers;
    } catch (error) {
      this.#database.run("ROLLBACK");
      return error instanceof Error ? error : new Error("D1_ERROR");
    }
  }
}

/** Blobs come as lists of numbers. */
function asJson(row: Row): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, value instanceof Uint8Array ? Array.from(value) : value]));
}

type Ask = (statements: readonly Statement[]) => Promise<readonly Answer[]>;

class D1 {
  readonly #ask: Ask;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  prepare(sql: string): Statement {
    return new Statement(this.#ask, sql, []);
  }

  async batch(statements: readonly Statement[]): Promise<readonly Answer[]> {
    return await this.#ask(statements);
  }
}

class Statement {
  readonly #ask: Ask;
  readonly sql: string;
  readonly values: readonly Value[];

  constructor(ask: Ask, sql: string, values: readonly Value[]) {
    this.#ask = ask;
    this.sql = sql;
    this.values = values;
  }

  bind(...values: readonly Value[]): Statement {
    return new Statement(this.#ask, this.sql, values);
  }

  async all(): Promise<Answer> {
    const [answer] = await this.#ask([this]);
    if (answer === undefined) throw new Error("D1_ERROR: no answer");
    return answer;
  }

  async run(): Promise<Answer> {
    return await this.all();
  }

  async first(): Promise<Readonly<Record<string, unknown>> | null> {
    return (await this.all()).results[0] ?? null;
  }
}
