// Group: the one writer of a group's log, which it cannot read. The shell: it asks core.ts to decide and acts. It knows
// neither the group's id nor who asks, sets no alarm and holds nothing that keeps it awake.

import { DurableObject } from "cloudflare:workers";
import type { Bytes, SealedGroupEntry } from "#wire";
import type { CheckedGroupAppend, GroupApi, GroupAppendResult, GroupReadResult } from "./api.ts";
import { countAppend, decideAppend, fitsPage, type Pace, readableBy } from "./core.ts";
import { GroupLog } from "./log.ts";

export class Group extends DurableObject implements GroupApi {
  readonly #log: GroupLog = new GroupLog(this.ctx.storage);
  /** Damping, so memory will do: what holds exactly is the number of places in a log. */
  #pace: Pace | undefined;

  /** One step: nothing is awaited between the look at the log and the row. */
  async append(append: CheckedGroupAppend): Promise<GroupAppendResult> {
    const decision = decideAppend(this.#log.outline, append, (version) => this.#log.at(version));
    if (decision.kind === "repeat") return { kind: "appended", version: append.version };
    if (decision.kind !== "append") return decision;
    const paced = countAppend(this.#pace, Date.now());
    if (paced.kind === "too-many") return { kind: "rate-limited", retryAfterSeconds: paced.retryAfterSeconds };
    this.#pace = paced.pace;
    this.#log.write(append);
    // The platform holds the answer until the rows are durable.
    return { kind: "appended", version: append.version };
  }

  async read(key: Bytes, after: number): Promise<GroupReadResult> {
    const { outline } = this.#log;
    const latest = outline === undefined ? undefined : readableBy(outline, key);
    if (latest === undefined) return { kind: "unknown" };
    const entries: SealedGroupEntry[] = [];
    for (const entry of this.#log.between(after, latest)) {
      if (!fitsPage(entries, entry.entry)) break;
      entries.push(entry);
    }
    return { kind: "page", entries, latest };
  }
}
