// Plays a schedule with two parties and writes down what opened and what did not. Judges nothing but what no schedule
// excuses: a plaintext that is not what was sent, and a message that opens twice.

import type { SessionMessage } from "../../protocol/index.ts";
import { type Bytes, concat, decodePreKeySignalMessage, decodeSignalMessage, sameBytes } from "../../wire/index.ts";
import { seededRandom } from "../support/random.ts";
import type { OneTimeKeys, Party } from "./party.ts";
import { other, type Side, type Step } from "./schedule.ts";

export interface Report {
  readonly opened: ReadonlySet<number>;
  /** Why, by message. A message that came twice counts as failed when it never opened. */
  readonly failed: ReadonlyMap<number, string>;
  readonly repeatsRefused: number;
  /** The highest epoch of the post-quantum ratchet that a message named. */
  readonly epochs: number;
  /** The messages that were first messages of a session. */
  readonly preKeyMessages: number;
}

export async function converse(parties: readonly [Party, Party], steps: readonly Step[], keys: OneTimeKeys): Promise<Report> {
  const opened = new Set<number>();
  const failed = new Map<number, string>();
  const sent = new Map<number, { readonly to: Side; readonly plaintext: Bytes; readonly message: SessionMessage }>();
  let repeatsRefused = 0;
  let epochs = 0;
  let preKeyMessages = 0;
  for (const step of steps) {
    if (step.kind === "begin") {
      await parties[step.side].start(await parties[other(step.side)].bundle(keys));
    } else if (step.kind === "send") {
      const plaintext = plaintextOf(step.id);
      const message = await parties[step.from].seal(plaintext);
      epochs = Math.max(epochs, epochOf(message));
      if (message.kind === "prekey") preKeyMessages++;
      sent.set(step.id, { to: other(step.from), plaintext, message });
    } else {
      const arrived = sent.get(step.id);
      if (arrived === undefined) throw new Error("the schedule delivers what was not sent");
      const result = await tryOpen(parties[arrived.to], arrived.message);
      if (result.kind === "refused") {
        if (opened.has(step.id)) repeatsRefused++;
        else failed.set(step.id, result.reason);
      } else {
        if (opened.has(step.id)) throw new Error(`message ${step.id} opened twice`);
        if (!sameBytes(result.plaintext, arrived.plaintext)) throw new Error(`message ${step.id} opened to something else`);
        opened.add(step.id);
        failed.delete(step.id);
      }
    }
  }
  return { opened, failed, repeatsRefused, epochs, preKeyMessages };
}

type Result = { readonly kind: "opened"; readonly plaintext: Bytes } | { readonly kind: "refused"; readonly reason: string };

async function tryOpen(party: Party, message: SessionMessage): Promise<Result> {
  try {
    return { kind: "opened", plaintext: await party.open(message) };
  } catch (error) {
    return { kind: "refused", reason: String(error) };
  }
}

/** Its number and up to 300 further bytes, so that every length of padding occurs. */
function plaintextOf(id: number): Bytes {
  const length = (id * 7) % 301;
  return concat(new Uint8Array([id >> 8, id & 0xff]), seededRandom(id)(length));
}

/** The epoch in the post-quantum part of a message: after its version byte, in base 128. */
function epochOf({ kind, bytes }: SessionMessage): number {
  const { pqRatchet } = decodeSignalMessage(kind === "prekey" ? decodePreKeySignalMessage(bytes).message : bytes);
  let epoch = 0;
  let scale = 1;
  for (const byte of (pqRatchet ?? new Uint8Array(0)).subarray(1)) {
    epoch += (byte & 0x7f) * scale;
    if (byte < 0x80) break;
    scale *= 0x80;
  }
  return epoch;
}
