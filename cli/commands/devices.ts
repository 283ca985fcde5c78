// devices: on which devices an account is, and how one comes and goes.

import type { Command } from "commander";
import { hostname } from "node:os";
import { createInterface, type Interface } from "node:readline";
import { encodeQR } from "qr";
import { type Client, ClientError, type HistoryChoice, type LinkAsked, type LinkedDevice } from "#client";
import { ambiguous, nobodyAsked, usageError } from "../errors.ts";
import { watchHistory } from "../history.ts";
import { accountLine, deviceHeading, deviceLine } from "../lines.ts";
import type { Output } from "../output.ts";
import type { Session } from "../session.ts";
import { visible } from "../visible.ts";
import { describe, type Run, seconds } from "./command.ts";

export function devices(run: Run): Command {
  const command = describe({
    usage: "devices",
    does: "The devices that this account is on.",
    examples: ["devices list", "--store laptop.db devices link --name laptop", "devices approve 'http://localhost:8787/#link/…'"],
    notes:
      "Any device can let another one in or put it out. A new one shows a code, or asks, and then six digits; they are typed on a\n" +
      "device that is in. Never approve a device that is not in front of you, and never read its digits to anybody.",
  });
  for (const add of [list, link, approve, giveHistory, rename, revoke]) command.addCommand(add(run));
  return command;
}

function list(run: Run): Command {
  return describe({ usage: "list", does: "Show the devices of this account.", examples: ["devices list"] }).action(() =>
    run.withAccount(async (client, { output, stop }) => {
      const all = await client.devices.list({ signal: stop });
      output.remark(deviceHeading(all));
      for (const device of all) {
        const { fields, people } = deviceLine(device, all);
        await output.line(fields, people);
      }
    }),
  );
}

interface LinkOptions {
  readonly name: string;
  readonly account?: string;
}

function link(run: Run): Command {
  return describe({
    usage: "link",
    does: "Become a device of an account that is on another one already.",
    examples: ["--store laptop.db devices link --name laptop", "--store laptop.db devices link --account edgewise:…"],
    notes: "There are two minutes to type the digits on the other device: edgewise devices approve. It decides about messages of before.",
  })
    .option("-n, --name <name>", "what to call this device", hostname())
    .option("--account <user>", "ask that account's devices, by its contact link or userId, instead of showing a code")
    .action(({ name, account }: LinkOptions) =>
      run.withStore(async (client, { output, stop }) => {
        const request = await client.devices.requestLink({ name, signal: stop, ...(account === undefined ? {} : { account }) });
        // It may fail before anybody looks.
        request.done.catch(() => undefined);
        if (request.link !== undefined) {
          await output.picture(encodeQR(request.link, "ascii"));
          await output.line({ type: "link", code: request.link }, request.link);
        }
        output.tell("Waiting for a device of the account: edgewise devices approve");
        const digits = await request.digits;
        await output.line({ type: "digits", digits }, `Type these digits on the other device: ${digits.slice(0, 3)} ${digits.slice(3)}`);
        const { fields, people } = accountLine(await request.done);
        await output.line(fields, people);
        output.tell("Contacts, groups and what is given of messages of before come with the next: edgewise listen");
      }),
    );
}

interface ApproveOptions {
  readonly history: string;
  readonly timeout: number;
}

const ASKED_WITHIN_SECONDS = 300;

function approve(run: Run): Command {
  return describe({
    usage: "approve [code]",
    does: "Let a new device in, by the code that it shows or because it asks.",
    examples: ["devices approve 'http://localhost:8787/#link/…'", "devices approve --history all"],
    notes: "Asks for the six digits that the new device shows, as a line of standard input, three times at most.",
  })
    .option("--history <which>", "what it gets of the messages of before: none, 30d or all", "none")
    .option("--timeout <seconds>", "without a code: how long to wait for a device that asks", seconds, ASKED_WITHIN_SECONDS)
    .action((code: string | undefined, { history, timeout }: ApproveOptions) =>
      run.withAccount(async (client, session) => {
        const { output, stop } = session;
        const lines = createInterface({ input: process.stdin });
        // At once: what is typed before somebody listens would be lost.
        const typed = lineByLine(lines);
        try {
          const gets = history === "none" ? history : historyOf(history);
          const what = code ?? (await pendingRequest(client, session, timeout));
          output.remark("Meeting the new device …");
          const device = await client.devices.approveLink(what, {
            history: gets,
            signal: stop,
            digits: async ({ deviceName, triesLeft }) => {
              await askForDigits(output, deviceName, triesLeft);
              const line = await typed();
              if (line === undefined)
                throw usageError("There are no digits on standard input.", "Type the six digits that the new device shows.");
              return line;
            },
          });
          const { fields, people } = deviceLine(device, [device]);
          await output.line(fields, people);
          await historyGiven(client, session, device.deviceId);
        } finally {
          lines.close();
        }
      }),
    );
}

function historyOf(text: string): HistoryChoice {
  if (text !== "30d" && text !== "all") throw usageError(`"${text}" is none of: none, 30d, all.`);
  return text;
}

/** Until all that the device is to be told and given is at the server. */
async function historyGiven(client: Client, { output, stop }: Session, deviceId: number): Promise<void> {
  const stopWatching = watchHistory(client, output, () => undefined);
  try {
    await client.settled({ signal: stop });
  } finally {
    stopWatching();
  }
  const transfer = client.devices.history.value.find(({ direction, deviceId: to }) => direction === "to" && to === deviceId);
  if (transfer?.error !== undefined) throw new ClientError(transfer.error);
}

function giveHistory(run: Run): Command {
  return describe({
    usage: "give-history <device> [which]",
    does: "Give another device of this account the messages of before: all (the default), or those of 30d.",
    examples: ["devices give-history 2", "devices give-history 2 30d"],
    notes: "DEVICE is its number, or its name where no other has it. What it has already stays as it is there.",
  }).action((device: string, which: string | undefined) =>
    run.withAccount(async (client, session) => {
      const { deviceId } = await named(client, session, device);
      await client.devices.giveHistory(deviceId, historyOf(which ?? "all"), { signal: session.stop });
      await historyGiven(client, session, deviceId);
      await session.ok();
    }),
  );
}

async function askForDigits(output: Output, deviceName: string, triesLeft: number): Promise<void> {
  const again = triesLeft === 3 ? "" : `They were wrong; ${triesLeft === 1 ? "one try is" : `${triesLeft} tries are`} left. `;
  const people = `${again}A device that calls itself "${visible(deviceName)}" wants in. The six digits that it shows:`;
  await output.line({ type: "digits-needed", deviceName, triesLeft }, people);
}

/** One line at each call, and nothing when there are no more. */
function lineByLine(lines: Interface): () => Promise<string | undefined> {
  const iterator = lines[Symbol.asyncIterator]();
  return async () => {
    const { value, done } = await iterator.next();
    return done === true ? undefined : value;
  };
}

/** The newest that asks, now or as soon as one does. */
async function pendingRequest(client: Client, { output, stop }: Session, withinSeconds: number): Promise<LinkAsked> {
  const { promise, resolve, reject } = Promise.withResolvers<LinkAsked>();
  const undo = [
    client.devices.requests.subscribe((pending) => {
      const newest = pending.at(-1);
      if (newest !== undefined) resolve(newest);
    }),
    client.connection.subscribe(({ error }) => {
      if (error !== undefined) reject(new ClientError(error));
    }),
  ];
  const abort = (): void => reject(new ClientError("closed"));
  stop.addEventListener("abort", abort);
  const timer = setTimeout(() => reject(nobodyAsked()), withinSeconds * 1000);
  try {
    client.connect({ signal: stop }).catch(reject);
    output.remark(`Waiting for a device that asks, by: edgewise devices link --account ${client.account.userId}`);
    return await promise;
  } finally {
    clearTimeout(timer);
    for (const stopWatching of undo) stopWatching();
    stop.removeEventListener("abort", abort);
  }
}

function rename(run: Run): Command {
  return describe({
    usage: "rename <device> <name>",
    does: "Call a device something else, on all devices of this account.",
    examples: ["devices rename 1 phone", "devices rename phone tablet"],
  }).action((device: string, name: string) =>
    run.withAccount(async (client, session) => {
      await client.devices.rename((await named(client, session, device)).deviceId, name);
      await session.ok();
      await session.spread(client);
    }),
  );
}

function revoke(run: Run): Command {
  return describe({
    usage: "revoke <device>",
    does: "Put a device out: it receives nothing any more, and its messages at the server are gone.",
    examples: ["devices revoke 2", "devices revoke phone"],
    notes: "What is stored on it stays there. The groups that you are an admin of get new keys at once, others as they learn of it.",
  })
    .option("--yes", "also when it is the device that one is on: a person at a terminal is asked to say so")
    .action((device: string, { yes }: { readonly yes?: boolean }) =>
      run.withAccount(async (client, session) => {
        const { deviceId, current } = await named(client, session, device);
        // A program means what it says.
        if (current && yes !== true && process.stdin.isTTY)
          throw usageError("This is the device that you are on.", "Say --yes to put it out all the same.");
        await client.devices.revoke(deviceId, { signal: session.stop });
        await session.ok();
        if (current) session.output.tell("This was the device that you are on. What is stored here can still be read.");
        await session.spread(client);
      }),
    );
}

/** By its number, or by the name that it alone has. */
async function named(client: Client, { stop }: Session, text: string): Promise<LinkedDevice> {
  const all = await client.devices.list({ signal: stop });
  const found = /^\d+$/.test(text) ? all.filter(({ deviceId }) => deviceId === Number(text)) : all.filter(({ name }) => name === text);
  const [first, ...others] = found;
  if (first === undefined) throw new ClientError("unknown-device");
  if (others.length === 0) return first;
  const ids = found.map(({ deviceId }) => deviceId);
  throw ambiguous("Several devices are called this.", ids);
}
