// Reading account logs: a long one by somebody who has never seen it, and one more entry by somebody who has. Beside it the official
// library with the same signatures and nothing else: neither the chain nor the rules.

import { LABELS, labelled, nobleBackend, useBackend } from "../../crypto/index.ts";
import { nodeBackend } from "../../crypto/node.ts";
import { openLogEntry, readAccountLog } from "../../identity/index.ts";
import { libsignal0103 } from "../../test/interop/library.ts";
import { Owner } from "../../test/support/accounts.ts";
import type { Bytes } from "../../wire/index.ts";
import type { Figure, Rounds } from "../rounds.ts";

const { api } = libsignal0103;
export const REFERENCE = "libsignal-client 0.103.0";
const UNIT = "ms (cost)";

const BACKENDS = [
  ["edgewise (node)", nodeBackend],
  ["edgewise (noble)", nobleBackend],
] as const;

/** Each round has a log of its own, which everybody reads: nothing is left over from the round before. */
export function readLogs(rounds: Rounds, { entries, times }: { readonly entries: number; readonly times: number }): void {
  const name = `verification of a ${entries.toLocaleString("en")}-entry log`;
  for (let round = 0; round <= times; round++) {
    const log = new Log(entries, round);
    const figures = BACKENDS.map(([subject, backend]) => {
      useBackend(backend);
      return [subject, [log.read(name), log.readOn(`one more entry behind ${(entries - 1).toLocaleString("en")}`)]] as const;
    });
    const official = log.verifyOnly(name);
    // The first one is not counted: the engine compiles what it runs often.
    if (round === 0) continue;
    for (const [subject, noted] of figures) rounds.note(subject, noted);
    rounds.note(REFERENCE, official);
  }
}

interface Signature {
  readonly key: Bytes;
  readonly message: Bytes;
  readonly signature: Bytes;
}

/** Devices come and go, two at a time. */
class Log {
  readonly #owner: Owner;
  readonly #signatures: readonly Signature[];

  constructor(entries: number, seed: number) {
    useBackend(nodeBackend);
    const owner = new Owner(seed);
    while (owner.entries.length < entries) {
      const [first, second] = owner.devices;
      if (first === undefined || second === undefined) owner.add();
      else owner.revoke(first, second);
    }
    this.#owner = owner;
    this.#signatures = owner.entries.flatMap((entry, at) => signaturesOf(owner, entry, at));
  }

  read(work: string): Figure {
    const { entries, userId, now: nowSeconds } = this.#owner;
    return timed(work, () => readAccountLog(entries, { userId, nowSeconds }).head.length === entries.length);
  }

  readOn(work: string): Figure {
    const { entries, states, userId, now: nowSeconds } = this.#owner;
    const verified = states.at(-2)?.head;
    if (verified === undefined) throw new RangeError("a log of one entry has nothing before it");
    return timed(work, () => readAccountLog(entries, { userId, nowSeconds, verified }).head.length === entries.length);
  }

  verifyOnly(work: string): readonly Figure[] {
    const all = this.#signatures;
    return [timed(work, () => all.every(({ key, message, signature }) => api.PublicKey.deserialize(key).verify(message, signature)))];
  }
}

function timed(work: string, run: () => boolean): Figure {
  const start = performance.now();
  const isDone = run();
  const value = performance.now() - start;
  if (!isDone) throw new Error(`${work}: not what it should be`);
  return { work, unit: UNIT, value };
}

/** One by whoever wrote the entry, and one by whoever joins by it. */
function signaturesOf({ states }: Owner, entry: Bytes, at: number): readonly Signature[] {
  const { statement, signed, signature, countersignature } = openLogEntry(entry);
  const devices = (states[Math.max(0, at - 1)] ?? states[0])?.devices ?? [];
  const signer = devices.find(({ deviceId }) => deviceId === statement.signer);
  if (signer === undefined) throw new RangeError("an entry without a signer");
  const found = [{ key: signer.identityKey.encode(), message: labelled(LABELS.SIGN_LOG_ENTRY, signed), signature }];
  const joined = states[at]?.devices.at(-1);
  if (countersignature === undefined || joined === undefined) return found;
  const message = labelled(LABELS.SIGN_LOG_COUNTERSIGN, signed);
  return [...found, { key: joined.identityKey.encode(), message, signature: countersignature }];
}
