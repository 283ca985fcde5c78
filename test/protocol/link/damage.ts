// Damage to the blobs of a link, and a new device that can be asked again and again what it would reveal.

import { openOffer, type Newcomer, type Outcome, revealDevice } from "#protocol";
import { type Bytes, copy } from "#wire";
import { mutate } from "../../support/mutate.ts";
import { seededDice } from "../../support/random.ts";
import { NAME, type Pair } from "./pairing.ts";

/** Each byte changed, in one bit or another. */
export function flips(bytes: Bytes): readonly Bytes[] {
  return [...bytes.keys()].map((at) => {
    const changed = copy(bytes);
    changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
    return changed;
  });
}

export function damaged(bytes: Bytes, seed: number): readonly Bytes[] {
  const dice = seededDice(seed);
  return Array.from({ length: 50 }, () => mutate(bytes, dice));
}

/** Why steps were refused; "done" for one that was not. */
export function codesOf(outcomes: readonly Outcome<unknown, unknown>[]): ReadonlySet<string> {
  return new Set(outcomes.map((outcome) => (outcome.kind === "refused" ? outcome.code : "done")));
}

/** A new device that has read an offer, with keys that it uses for each try. */
export class Reader {
  readonly pair: Pair;
  readonly newcomer: Newcomer;
  readonly #device;
  readonly #preKeys;

  constructor(pair: Pair, deviceId: Parameters<Pair["newDevice"]>[0]) {
    this.pair = pair;
    this.newcomer = pair.begin();
    this.#device = pair.newDevice(deviceId);
    this.#preKeys = pair.preKeys(this.#device, { userId: pair.owner.userId });
  }

  /** What it reveals to an offer; nothing when it refuses. Nothing is wiped, so that it can be tried again. */
  reveal(offer: Bytes): Bytes | undefined {
    const { pair } = this;
    const met = openOffer(this.newcomer, offer, pair.owner.now);
    if (met.kind === "refused" || met.state.offer.deviceId !== this.#device.deviceId) return undefined;
    const input = { device: this.#device, name: NAME, preKeys: this.#preKeys, nowSeconds: pair.owner.now };
    const revealed = revealDevice(met.state, input, pair.random);
    return revealed.kind === "refused" ? undefined : revealed.output.blob;
  }
}
