// presence: whether somebody is there now.

import type { Command } from "commander";
import { type Client, ClientError, type Peer } from "#client";
import { presenceLine } from "../lines.ts";
import type { Session } from "../session.ts";
import { describe, type Run } from "./command.ts";

/** A device that is there answers within a moment; who is not there does not answer. */
const ANSWER_MILLISECONDS = 5000;
const CONNECT_MILLISECONDS = 30_000;

export function presence(run: Run): Command {
  return describe({
    usage: "presence <user>",
    does: "Tell whether somebody is online; only for people who accepted each other, and only if both tell.",
    examples: ["presence bob", "presence bob --watch"],
    notes: "It receives while it runs, so a listen on the same store ends.",
  })
    .option("--watch", "go on, and print every change")
    .action((who: string, options: { readonly watch?: boolean }) =>
      run.withAccount(async (client, session) => {
        const peer = await client.contacts.find(who, { signal: session.stop });
        await connected(client, session.stop);
        await (options.watch === true ? watch(client, peer, session) : once(client, peer, session));
      }),
    );
}

/** Whoever only asks does not wait for a server that is not there. */
async function connected(client: Client, stop: AbortSignal): Promise<void> {
  const limit = AbortSignal.timeout(CONNECT_MILLISECONDS);
  try {
    await client.connect({ signal: AbortSignal.any([stop, limit]) });
  } catch (error) {
    throw limit.aborted ? new ClientError("offline", { cause: error }) : error;
  }
}

async function once(client: Client, peer: Peer, session: Session): Promise<void> {
  for await (const online of changes(client, peer, AbortSignal.any([session.stop, AbortSignal.timeout(ANSWER_MILLISECONDS)]))) {
    await show(session, peer, online);
    return;
  }
  await show(session, peer, false);
}

async function watch(client: Client, peer: Peer, session: Session): Promise<void> {
  for await (const online of changes(client, peer, session.stop)) await show(session, peer, online);
}

/** What is known from now on, until the signal. */
async function* changes(client: Client, peer: Peer, signal: AbortSignal): AsyncGenerator<boolean, void> {
  const waiting: boolean[] = [];
  let wake = (): void => {};
  const undo = client.contacts.presence(peer).subscribe((online) => {
    if (online !== undefined) waiting.push(online);
    wake();
  });
  signal.addEventListener("abort", () => wake());
  try {
    while (!signal.aborted) {
      const next = waiting.shift();
      if (next !== undefined) yield next;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    undo();
  }
}

async function show({ output }: Session, peer: Peer, online: boolean): Promise<void> {
  const { fields, people } = presenceLine(peer, online);
  await output.line(fields, people);
}
