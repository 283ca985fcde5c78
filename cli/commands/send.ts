// send: one message, and the wait until the server has it.

import { text as readAll } from "node:stream/consumers";
import type { Command } from "commander";
import { type Client, ClientError, type Conversation, type Message } from "#client";
import { interrupted, notStored, stillQueued, usageError } from "../errors.ts";
import { faint } from "../output.ts";
import type { Session } from "../session.ts";
import { describe, type Run } from "./command.ts";

interface SendOptions {
  readonly replyTo?: string;
  readonly attach?: readonly string[];
}

export function send(run: Run): Command {
  return describe({
    usage: "send <conversation> [text]",
    does: "Send a message and wait until the server has it for every device of theirs.",
    examples: ['send bob "Hello Bob"', "send bob - < letter.txt", 'send bob --reply-to 0b5a… "Yes"'],
    notes:
      "CONVERSATION is a username, a userId, an edgewise: link, or '#name' of a group. Without TEXT, or with -, the message is read\n" +
      "from standard input. When the server cannot be reached the exit code is 75 and the message stays queued: the next command that reaches\n" +
      "the server takes it along. Do not send it again.",
  })
    .option("-r, --reply-to <id>", "the message that this one answers")
    .option("-a, --attach <file...>", "not there yet")
    .action(async (who: string, text: string | undefined, { replyTo, attach }: SendOptions) => {
      if (attach !== undefined) throw usageError("Files cannot be sent yet.", "Leave out --attach.");
      const words = await wordsOf(text);
      await run.withAccount(async (client, session) => {
        const conversation = await find(client, session, who);
        const answered = replyTo === undefined ? {} : { replyTo: await client.message(replyTo) };
        const message = await conversation.send(words, answered);
        await untilSent(message, session.stop);
        const fields = { type: "sent", id: message.id, conversation: conversation.id, sentAt: message.sentAt.toISOString() };
        await session.output.line(fields, `sent  ${faint(message.id)}`);
        await session.spread(client);
      });
    });
}

async function find(client: Client, session: Session, who: string): Promise<Conversation> {
  try {
    return await session.conversation(client, who);
  } catch (error) {
    if (error instanceof ClientError && error.retryable) throw notStored(error);
    throw error;
  }
}

async function wordsOf(argument: string | undefined): Promise<string> {
  if (argument !== undefined && argument !== "-") return orRefuse(argument);
  if (process.stdin.isTTY) console.error("Type the message; Ctrl-D on a line of its own ends it.");
  return orRefuse((await readAll(process.stdin)).replace(/\r?\n$/, ""));
}

function orRefuse(text: string): string {
  if (text === "")
    throw usageError("There is no text to send.", 'Write it behind the name, edgewise send bob "Hello", or on standard input.');
  return text;
}

async function untilSent(message: Message, signal: AbortSignal): Promise<void> {
  try {
    await message.sent({ signal });
  } catch (error) {
    if (signal.aborted) throw interrupted();
    if (error instanceof ClientError && error.retryable) throw stillQueued(error);
    throw error;
  }
}
