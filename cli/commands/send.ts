// send: one message, with files or without, and the wait until the server has it.

import { text as readAll } from "node:stream/consumers";
import type { Command } from "commander";
import { type Client, ClientError, type Conversation, type Message } from "#client";
import { interruptedQueued, notStored, stillQueued, usageError } from "../errors.ts";
import { fileToSend } from "../files.ts";
import { faint } from "../output.ts";
import { keepsMetadata } from "../mime.ts";
import { showProgress } from "../progress.ts";
import type { Session } from "../session.ts";
import { visible } from "../visible.ts";
import { describe, type Run } from "./command.ts";

interface SendOptions {
  readonly replyTo?: string;
  readonly attach?: readonly string[];
  readonly keepMetadata?: boolean;
}

export function send(run: Run): Command {
  return describe({
    usage: "send <conversation> [text]",
    does: "Send a message and wait until the server has it for every device of theirs.",
    examples: [
      'send bob "Hello Bob"',
      "send bob - < letter.txt",
      'send bob --reply-to 0b5a… "Yes"',
      'send bob "From the top" -a summit.jpg -a way.gpx',
    ],
    notes:
      "CONVERSATION is a username, a userId, an edgewise: link, or '#name' of a group. Without TEXT, or with -, the message is read\n" +
      "from standard input, unless it has files. When the server cannot be reached the exit code is 75 and the message stays queued:\n" +
      "the next command that reaches the server takes it along, and goes on with its files where this one was. Do not send it again.\n" +
      "Files have 100 MiB at most. Pictures, videos and recordings of phones lose what cameras write into them, the place among it; what is\n" +
      "sent with its metadata, as documents are, is named.",
  })
    .option("-r, --reply-to <id>", "the message that this one answers")
    .option("-a, --attach <file>", "a file to send along; may be repeated", (file: string, before?: readonly string[]) => [
      ...(before ?? []),
      file,
    ])
    .option("--keep-metadata", "leave in pictures and videos what cameras write into them")
    .action(async (who: string, text: string | undefined, options: SendOptions) => {
      const { attach = [] } = options;
      const words = attach.length > 0 && text === undefined ? "" : await wordsOf(text);
      const files = await Promise.all(attach.map(fileToSend));
      await run.withAccount(async (client, session) => {
        const conversation = await find(client, session, who);
        const message = await (files.length > 0 ? sendFiles : sendText)({ client, conversation, session, words, files, options });
        await untilSent(message, session.stop);
        const fields = { type: "sent", id: message.id, conversation: conversation.id, sentAt: message.sentAt.toISOString() };
        await session.output.line(fields, `sent  ${faint(message.id)}`);
        await session.spread(client);
      });
    });
}

interface Sending {
  readonly client: Client;
  readonly conversation: Conversation;
  readonly session: Session;
  readonly words: string;
  readonly files: readonly File[];
  readonly options: SendOptions;
}

async function sendText({ client, conversation, words, options }: Sending): Promise<Message> {
  return await conversation.send(words, await answered(client, options));
}

async function sendFiles({ client, conversation, session, words, files, options }: Sending): Promise<Message> {
  for (const { name } of options.keepMetadata === true ? [] : files) {
    if (keepsMetadata(name)) session.output.tell(`${visible(name)} is sent as it is, with its metadata.`);
  }
  return await conversation.sendFile(files, {
    ...(await answered(client, options)),
    caption: words,
    keepMetadata: options.keepMetadata === true,
    onProgress: showProgress(session.output, "sending"),
  });
}

async function answered(client: Client, { replyTo }: SendOptions): Promise<{ readonly replyTo?: Message }> {
  return replyTo === undefined ? {} : { replyTo: await client.message(replyTo) };
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
    if (signal.aborted) throw interruptedQueued(message.id);
    if (error instanceof ClientError && error.retryable) throw stillQueued(message.id, error);
    throw error;
  }
}
