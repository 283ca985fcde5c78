// avatar: the picture of somebody or of a group, as a file.

import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import type { Conversation } from "#client";
import { cannotSave, noPicture, usageError } from "../errors.ts";
import { isFolder } from "../files.ts";
import { sizeOf } from "../progress.ts";
import { visible } from "../visible.ts";
import { describe, type Run } from "./command.ts";

export function avatar(run: Run): Command {
  return describe({
    usage: "avatar <conversation>",
    does: "Save the picture that somebody, or a group, shows.",
    examples: ["avatar bob -o bob.jpg", "avatar '#Hiking' -o hiking.png"],
    notes: "Pictures of contacts and of groups come by themselves while something receives; of nobody else anything is fetched.",
  })
    .requiredOption("-o, --output <file>", "where to; a file that is there is written over")
    .action((who: string, { output: to }: { readonly output: string }) =>
      run.withAccount(async (client, session) => {
        const path = resolve(to);
        if (isFolder(path)) throw usageError("This is a folder.", "Name a file in it.");
        const conversation = await session.conversation(client, who);
        // One that could not be had for now is here when a later command is run.
        await client.settled({ signal: session.stop, pictures: true }).catch(() => undefined);
        const shown = await pictureOf(await session.conversation(client, conversation.id));
        save(path, new Uint8Array(await shown.arrayBuffer()));
        const { size, type: mime } = shown;
        await session.output.line({ type: "file", path, name: nameOf(conversation), size, mime }, `${visible(path)}  ${sizeOf(size)}`);
      }),
    );
}

async function pictureOf(conversation: Conversation): Promise<Blob> {
  const shown = conversation.kind === "group" ? conversation.avatar : conversation.peer.avatar;
  const blob = await shown?.blob();
  if (blob === undefined) throw noPicture();
  return blob;
}

function nameOf(conversation: Conversation): string {
  return conversation.kind === "group" ? conversation.title : conversation.peer.name;
}

function save(path: string, bytes: Uint8Array): void {
  try {
    writeFileSync(path, bytes);
  } catch (error) {
    throw cannotSave(path, error);
  }
}
