// The process of one person with our client: its store a SQLite file, its program a reader of events. `node` or `noble` says
// whose primitives it uses.

import { type Client, createClient } from "../../client/index.ts";
import { sqlite } from "../../client/store/sqlite.ts";
import { nobleBackend, useBackend } from "../../crypto/index.ts";
import { nodeBackend } from "../../crypto/node.ts";
import { Arrivals, type CaughtUp, type Person, textOf, Usage } from "./person.ts";
import { now, serve } from "./remote.ts";

useBackend(process.argv[2] === "noble" ? nobleBackend : nodeBackend);
const arrivals = new Arrivals();
let opened: Client | undefined;
let reading: Promise<void> = Promise.resolve();

function client(): Client {
  if (opened === undefined) throw new Error("not opened");
  return opened;
}

serve<Person>({
  async open({ server, store }) {
    opened = await createClient({ server, store: sqlite(store) });
    if (opened.state === "new") await opened.register();
    return opened.account.link;
  },
  async connect() {
    reading = read();
    await client().connect();
  },
  async say({ to, text }) {
    const start = now();
    await (await client().conversations.direct(to)).send(text);
    return start;
  },
  async sayMany({ to, name, count }) {
    const start = now();
    const conversation = await client().conversations.direct(to);
    for (let number = 0; number < count; number++) await conversation.send(textOf(name, number));
    await client().settled();
    return start;
  },
  arrival: (text) => arrivals.of(text),
  catchUp,
  async close() {
    await client().close();
    await reading;
  },
});

/** Accepts whoever asks: what they wrote can be read before. */
async function read(): Promise<void> {
  for await (const event of client().events()) {
    if (event.type === "message") arrivals.note(event.message.text, now());
    if (event.type !== "request") continue;
    const [first] = await (await client().conversations.direct(event.from.userId)).history();
    arrivals.note(first?.text ?? "", now());
    await event.accept();
  }
}

async function catchUp({ from, name, count }: Parameters<Person["catchUp"]>[0]): Promise<CaughtUp> {
  const start = now();
  const usage = new Usage();
  // Resolves when the server has seen every message acknowledged.
  await client().connect();
  const milliseconds = now() - start;
  const { cpuMilliseconds, grownBytes } = usage;
  const shown = await (await client().conversations.direct(from)).history({ limit: count });
  requireAll(shown.toReversed(), name, count);
  const begun = now();
  const told = [];
  for await (const event of client().events({ wait: false })) if (event.type === "message") told.push(event.message);
  const readMilliseconds = now() - begun;
  requireAll(told.slice(-count), name, count);
  return { milliseconds, cpuMilliseconds, grownBytes, readMilliseconds };
}

function requireAll(messages: readonly { readonly text: string }[], name: string, count: number): void {
  const right = messages.filter(({ text }, number) => text === textOf(name, number)).length;
  if (right !== count) throw new Error(`${right} of ${count} messages are where they should be`);
}
