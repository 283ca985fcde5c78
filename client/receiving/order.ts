// The order of what one device sent in one conversation: each content names its place and the hash of the one before. What
// comes too early waits for its predecessor, at most a minute; then it is shown with the gap marked. Pure.

import { type Bytes, type Position, sameBytes } from "#wire";
import type { Chain } from "../records/tables.ts";

export const PATIENCE_MILLISECONDS = 60_000;
/** More than this from one device does not wait: it is shown at once, with the gap. */
const MAX_WAITING = 256;

export type Turn =
  /** Its predecessor was there. */
  | { readonly kind: "now"; readonly chain: Chain; readonly gapBefore: boolean }
  /** Behind something that was given up, or that has another past: it came late. */
  | { readonly kind: "late"; readonly chain: Chain }
  | { readonly kind: "wait"; readonly chain: Chain };

/** The turn of a content that was not seen before. `hash` is its own. */
export function takeTurn(known: Chain, position: Position, hash: Bytes, nowMilliseconds: number): Turn {
  const { counter, previousHash } = position;
  if (counter < known.next) return { kind: "late", chain: known };
  if (counter === known.next) {
    const continues = known.hash === undefined ? previousHash === undefined || counter > 1 : sameBytes(known.hash, previousHash ?? hash);
    return { kind: "now", chain: { ...known, next: counter + 1, hash }, gapBefore: !continues };
  }
  const waits = { counter, untilMilliseconds: nowMilliseconds + PATIENCE_MILLISECONDS };
  if (known.waiting.length >= MAX_WAITING) return { kind: "now", chain: { ...known, next: counter + 1, hash }, gapBefore: true };
  const waiting = [...known.waiting.filter((other) => other.counter !== counter), waits].toSorted((a, b) => a.counter - b.counter);
  return { kind: "wait", chain: { ...known, waiting } };
}

/** The counter whose turn it is among those that wait: the next one, or the first whose time is up. */
export function dueCounter(chain: Chain, nowMilliseconds: number): number | undefined {
  const [first] = chain.waiting;
  if (first === undefined) return undefined;
  return first.counter === chain.next || first.untilMilliseconds <= nowMilliseconds ? first.counter : undefined;
}

/** The chain once that one is shown. */
export function release(chain: Chain, counter: number, hash: Bytes): { readonly chain: Chain; readonly gapBefore: boolean } {
  const waiting = chain.waiting.filter((other) => other.counter !== counter);
  return { chain: { ...chain, next: counter + 1, hash, waiting }, gapBefore: counter !== chain.next };
}
