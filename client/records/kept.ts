// Records as they were last opened or written, so that what is read with nearly everything is not opened each time. Whoever asks
// brings the sealed bytes that the store has now: others may write to it, and what is sealed to the same bytes is the same record.

import { type Bytes, copy, sameBytes } from "#wire";

interface Kept {
  readonly sealed: Bytes;
  readonly value: unknown;
}

/** Of sealed bytes; the values take a few times as much. */
const MAX_BYTES = 2 ** 21;

export class KeptRecords {
  /** Those that were asked for longest ago come first. */
  readonly #records = new Map<string, Kept>();
  #bytes = 0;

  find(place: string, sealed: Bytes): { readonly value: unknown } | undefined {
    const kept = this.#records.get(place);
    if (kept === undefined || !sameBytes(kept.sealed, sealed)) return undefined;
    this.#records.delete(place);
    this.#records.set(place, kept);
    return kept;
  }

  keep(place: string, sealed: Bytes, value: unknown): void {
    this.forget(place);
    this.#records.set(place, { sealed: copy(sealed), value });
    this.#bytes += sealed.length;
    for (const [oldest] of this.#records) {
      if (this.#bytes <= MAX_BYTES) break;
      this.forget(oldest);
    }
  }

  forget(place: string): void {
    const kept = this.#records.get(place);
    if (kept === undefined) return;
    this.#records.delete(place);
    this.#bytes -= kept.sealed.length;
  }

  clear(): void {
    this.#records.clear();
    this.#bytes = 0;
  }
}
