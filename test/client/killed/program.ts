// Somebody who writes and reads without a pause until the process is killed. Each number is said when its message is in the
// store; where to go on, the store knows.

import "edgewise/node";
import { writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { type Conversation, createClient } from "#client";
import { sqlite } from "edgewise/store/node-sqlite";

/** So many are under way at once, at most: one transaction seals several, and is not always the same size. */
const AT_ONCE = 10;
const LONGEST_PAUSE_MILLISECONDS = 40;

const [server = "", path = "", name = "", other = ""] = process.argv.slice(2);
const client = await createClient({ server, store: sqlite(path) });
await Promise.all([client.connect(), read(), write(await client.conversations.direct(other))]);

async function read(): Promise<void> {
  for await (const event of client.events()) {
    if (event.type === "message") await event.message.markRead();
  }
}

async function write(conversation: Conversation): Promise<never> {
  const last = (await conversation.history({ limit: 10_000 })).find(({ own }) => own);
  for (let number = last === undefined ? 0 : Number(last.text.split(" ")[1]) + 1; ; number++) {
    const message = await conversation.send(`${name} ${number}`);
    writeSync(1, `${number}\n`);
    if (number % AT_ONCE === 0) await message.sent();
    else await sleep(Math.random() * LONGEST_PAUSE_MILLISECONDS);
  }
}
