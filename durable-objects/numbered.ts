// Bindings of which there may be several under one name: KEYS_DB, KEYS_DB_1, … Slots are spread evenly over them in order, so
// that adding one moves whole ranges.

const SLOTS = 4096;
const MAX_BINDINGS = 256;

/** What is bound as `name`, `name_1`, …, up to the first that is not there. */
export function numberedBindings(env: Readonly<Record<string, unknown>>, name: string): readonly unknown[] {
  const bindings: unknown[] = [];
  for (let i = 0; i < MAX_BINDINGS; i++) {
    const binding = env[i === 0 ? name : `${name}_${i}`];
    if (binding === undefined) break;
    bindings.push(binding);
  }
  return bindings;
}

/** The one of `bindings` that has the slot, from 0 to 4,095; `undefined` when there is none at all. */
export function ofSlot<T>(bindings: readonly T[], slot: number): T | undefined {
  return bindings[Math.floor((slot * bindings.length) / SLOTS)];
}
