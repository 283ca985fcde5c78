// The process of one person on the floor: whatever a client does beyond carrying bytes into a file is missing. Each message is
// a row and a transaction of its own, and acknowledged; nothing is encrypted, checked or put into order.

import { randomInt } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { FloorUser } from "../floor-user.ts";
import { Arrivals, type Person, textOf, Usage } from "./person.ts";
import { now, serve } from "./remote.ts";

/** What a text of a hundred bytes takes on the wire when our client has sealed it. */
const SEALED_BYTES = 1100;
/** Requests under way at a time. */
const WINDOW = 16;

const arrivals = new Arrivals();
const end = new AbortController();
let url = "";
let user = new FloorUser(url, 0);
let put: (text: string) => void = () => undefined;
let listening: Promise<void> = Promise.resolve();

serve<Person>({
  async open({ server, store }) {
    const database = new DatabaseSync(store);
    database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
    database.exec("CREATE TABLE IF NOT EXISTS messages (ordinal INTEGER PRIMARY KEY, text TEXT NOT NULL)");
    const insert = database.prepare("INSERT INTO messages (text) VALUES (?)");
    put = (text) => void insert.run(text);
    // The file remembers who its owner is where SQLite has a number for it.
    const known = Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
    const number = known === 0 ? randomInt(1, 2 ** 31) : known;
    database.exec(`PRAGMA user_version = ${number}`);
    url = server;
    user = new FloorUser(url, number);
    return String(number);
  },
  connect: () => listen(() => undefined),
  async say({ to, text }) {
    const start = now();
    put(text);
    await user.sendTo(Number(to), sealed(text));
    return start;
  },
  async sayMany({ to, name, count }) {
    const start = now();
    let next = 0;
    const lanes = Array.from({ length: WINDOW }, async () => {
      while (next < count) {
        const text = textOf(name, next++);
        put(text);
        await user.sendTo(Number(to), sealed(text));
      }
    });
    await Promise.all(lanes);
    return start;
  },
  arrival: (text) => arrivals.of(text),
  async catchUp({ count }) {
    const start = now();
    const usage = new Usage();
    let taken = 0;
    await listen(() => taken++);
    const { cpuMilliseconds, grownBytes } = usage;
    if (taken !== count) throw new Error(`${taken} of ${count} messages came`);
    return { milliseconds: now() - start, cpuMilliseconds, grownBytes, readMilliseconds: undefined };
  },
  async close() {
    end.abort();
    await listening;
  },
});

/** Resolves when everything that waited has come. */
async function listen(took: () => void): Promise<void> {
  await new Promise<void>((resolve) => {
    const take = (body: string): void => {
      const text = body.slice(0, 100);
      put(text);
      arrivals.note(text, now());
      took();
    };
    listening = user.listen(take, end.signal, resolve);
  });
}

function sealed(text: string): string {
  return text.padEnd(SEALED_BYTES, ".");
}
