// verify: the safety number, which two people compare to know that nobody stands between them.

import type { Command } from "commander";
import { encodeQR } from "qr";
import type { Peer, Verification } from "#client";
import { CommandError, EXIT } from "../errors.ts";
import type { Output } from "../output.ts";
import { visible } from "../visible.ts";
import { describe, type Run } from "./command.ts";

interface VerifyOptions {
  readonly qr?: boolean;
  readonly mark?: boolean;
  readonly scan?: string;
}

export function verify(run: Run): Command {
  return describe({
    usage: "verify <user>",
    does: "Show the safety number of a conversation, the same 60 digits on both sides when nobody stands between you.",
    examples: ["verify bob", "verify bob --qr", "verify bob --mark"],
    notes:
      "Compare it over another channel: in person, or on the phone. Once it is marked, a change of their keys stops sending\n" +
      "instead of going on with a warning.",
  })
    .option("--qr", "also as a code that their camera can read")
    .option("--mark", "I have compared the number, it is the same")
    .option("--scan <text>", "compare with what their code says, and mark it when it is the same")
    .action((who: string, options: VerifyOptions) =>
      run.withAccount(async (client, session) => {
        const { output, stop } = session;
        const peer = await client.contacts.find(who, { signal: stop });
        const verification = await peer.verification();
        if (options.scan !== undefined) compare(verification, options.scan);
        const isMarked = options.mark === true || options.scan !== undefined;
        if (isMarked) await verification.confirm();
        if (options.qr === true) await output.picture(encodeQR(verification.scannable, "ascii"));
        await show(output, peer);
        if (isMarked) await session.spread(client);
      }),
    );
}

function compare(verification: Verification, scanned: string): void {
  if (verification.scan(scanned) === "match") return;
  throw new CommandError({
    code: "mismatch",
    message: "This is not the code of that conversation.",
    hint: "Either it is somebody else's code, or somebody stands between you. Nothing was marked.",
    exit: EXIT.failed,
  });
}

/** Asked for anew, for it says what holds after a mark. */
async function show(output: Output, peer: Peer): Promise<void> {
  const { safetyNumber, verified, scannable } = await peer.verification();
  const digits = safetyNumber.replaceAll(/\D/g, "");
  const groups = digits.match(/.{1,5}/g) ?? [];
  const rows = [0, 4, 8].map((start) => groups.slice(start, start + 4).join(" "));
  const people = [`${visible(peer.name)}: ${verified ? "compared" : "not compared yet"}`, ...rows].join("\n");
  await output.line({ type: "safety-number", digits, verified, scannable }, people);
}
