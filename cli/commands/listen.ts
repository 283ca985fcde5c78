// listen: receives, and prints what happens until it is told to stop. The position among the events is the store's: an event is
// behind it as soon as the one after it was asked for, so never before its line was written.

import type { Command } from "commander";
import { type Client, ClientError, type ConnectionState, type Cursor, type LinkedDevice } from "#client";
import { watchHistory } from "../history.ts";
import { eventLine, localTime } from "../lines.ts";
import type { Session } from "../session.ts";
import { visible } from "../visible.ts";
import { describe, type Run, seconds } from "./command.ts";

interface ListenOptions {
  readonly untilEmpty?: boolean;
  readonly timeout?: number;
}

const PROGRESS_EVERY = 100;
const OFFLINE_MILLISECONDS = 1500;

export function listen(run: Run): Command {
  return describe({
    usage: "listen",
    does: "Receive, and print messages, receipts, requests and changes as they come.",
    examples: ["listen", "--json listen --until-empty"],
    notes:
      "Every event is shown once per store, also across runs. It reconnects by itself; Ctrl-C ends it. One program at a time\n" +
      "receives for a store, the newest wins; other commands work beside it.",
  })
    .option("--until-empty", "end when everything that waited was printed and every receipt for it is out")
    .option("--timeout <seconds>", "end after this time", seconds)
    .action((options: ListenOptions) => run.withAccount((client, session) => new Listening(client, session, options).run()));
}

class Listening {
  readonly #client: Client;
  readonly #session: Session;
  readonly #options: ListenOptions;
  /** Ends everything; its reason is the error to end with, unless it was wanted. */
  readonly #end = new AbortController();
  /** New devices that were told of. */
  readonly #told = new Set<number>();
  #count = 0;
  #tellLater: NodeJS.Timeout | undefined;
  #cursor: Cursor | undefined;

  constructor(client: Client, session: Session, options: ListenOptions) {
    this.#client = client;
    this.#session = session;
    this.#options = options;
  }

  async run(): Promise<void> {
    const { timeout } = this.#options;
    const wanted = AbortSignal.any([this.#session.stop, ...(timeout === undefined ? [] : [AbortSignal.timeout(timeout * 1000)])]);
    const signal = AbortSignal.any([wanted, this.#end.signal]);
    const stopWatching = this.#watch();
    try {
      await (this.#options.untilEmpty === true ? this.#drain(signal) : this.#follow(signal));
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      stopWatching();
    }
    if (!wanted.aborted) this.#end.signal.throwIfAborted();
  }

  async #follow(signal: AbortSignal): Promise<void> {
    this.#client.connect({ signal }).catch((error: unknown) => this.#end.abort(error));
    await this.#print({ signal });
  }

  /** Prints while it comes in, then what was still behind that. */
  async #drain(signal: AbortSignal): Promise<void> {
    const caughtUp = new AbortController();
    const received = this.#receive(signal).finally(() => caughtUp.abort());
    await Promise.allSettled([received, this.#print({ signal: AbortSignal.any([signal, caughtUp.signal]) })]);
    await received;
    await this.#print({ signal, wait: false });
  }

  async #receive(signal: AbortSignal): Promise<void> {
    await this.#client.connect({ signal });
    await this.#client.settled({ signal, pictures: true });
  }

  async #print(options: { readonly signal: AbortSignal; readonly wait?: false }): Promise<void> {
    const after = this.#cursor === undefined ? {} : { after: this.#cursor };
    for await (const event of this.#client.events({ ...options, ...after })) {
      const { fields, people } = eventLine(event);
      await this.#session.output.line(fields, people);
      this.#cursor = event.cursor;
      this.#tellProgress();
    }
  }

  /** For whoever sends the events into a file and watches. */
  #tellProgress(): void {
    this.#count++;
    if (process.stdout.isTTY || this.#count % PROGRESS_EVERY !== 0) return;
    if (this.#client.connection.value.status === "catching-up") this.#session.output.progress(`catching up: ${this.#count} events`);
  }

  /** Nobody waits for a server that is not there. One that is there may have refused an old token, or this device: then it says so. */
  async #endUnlessThere(): Promise<void> {
    try {
      await this.#client.devices.list({ signal: this.#end.signal });
    } catch (error) {
      this.#end.abort(error);
    }
  }

  #watch(): () => void {
    let before: ConnectionState["status"] = "offline";
    const undo = [
      watchHistory(this.#client, this.#session.output, (error) => this.#end.abort(error)),
      this.#client.devices.live.subscribe((devices) => this.#tellNewDevices(devices)),
      this.#client.connection.subscribe(({ status, error }) => {
        if (error !== undefined) this.#end.abort(new ClientError(error));
        else if (status !== before) this.#statusChanged(status);
        before = status;
      }),
    ];
    return () => {
      clearTimeout(this.#tellLater);
      for (const stop of undo) stop();
    };
  }

  /** Every time, for as long as they are new: whoever has talked somebody into letting one in hopes that it is not seen. */
  #tellNewDevices(devices: readonly LinkedDevice[]): void {
    if (this.#session.output.json) return;
    for (const { deviceId, name, addedAt } of devices.filter(({ isNew, current }) => isNew && !current)) {
      if (this.#told.has(deviceId)) continue;
      this.#told.add(deviceId);
      const remark = `a device of this account since ${localTime(addedAt)}: ${deviceId} ${visible(name)}`.trimEnd();
      this.#session.output.tell(`! ${remark}. If it is not yours: edgewise devices revoke ${deviceId}`);
    }
  }

  #statusChanged(status: ConnectionState["status"]): void {
    const { untilEmpty, timeout } = this.#options;
    if (status === "offline" && untilEmpty === true && timeout === undefined) void this.#endUnlessThere();
    clearTimeout(this.#tellLater);
    const tell = (): void => this.#session.output.remark(`· ${STATUS[status]}`);
    // Whoever is refused has no connection either, and hears why in a moment.
    if (status === "offline") this.#tellLater = setTimeout(tell, OFFLINE_MILLISECONDS);
    else tell();
  }
}

const STATUS: Readonly<Record<ConnectionState["status"], string>> = {
  offline: "no connection; it is tried again",
  connecting: "connecting",
  "catching-up": "connected, what waited is coming in",
  live: "everything that waited is here",
};
