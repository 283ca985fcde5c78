// A key or anything that leads to one. It cannot be printed, serialised or compared by accident;
// `expose()` is the one exit, so that a search for it finds every place where secret bytes are touched.

import { type Bytes, UsageError } from "#wire";
import { backend } from "./backend.ts";

export class Secret {
  #bytes: Bytes | undefined;

  /** Takes ownership of `bytes`: the caller keeps no reference. */
  constructor(bytes: Bytes) {
    this.#bytes = bytes;
  }

  get length(): number {
    return this.#bytes?.length ?? 0;
  }

  get isWiped(): boolean {
    return this.#bytes === undefined;
  }

  /** The bytes themselves, borrowed. @throws UsageError `wiped-secret` after `wipe()`. */
  expose(): Bytes {
    if (this.#bytes === undefined) throw new UsageError("wiped-secret", "a secret was used after it was wiped");
    return this.#bytes;
  }

  /** Overwrites the bytes. Shortens the secret's life; JavaScript cannot promise that no copy is left. */
  wipe(): void {
    if (this.#bytes === undefined) return;
    backend().forget?.(this.#bytes);
    this.#bytes.fill(0);
    this.#bytes = undefined;
  }

  toString(): string {
    return "[secret]";
  }

  toJSON(): string {
    return "[secret]";
  }
}

/** The bytes of a secret that is a key of `length` bytes. @throws UsageError `wiped-secret`, or `bad-argument` for another length. */
export function exposeKey(secret: Secret, length: number): Bytes {
  const bytes = secret.expose();
  if (bytes.length !== length) throw new UsageError("bad-argument", "a secret key of another length was expected");
  return bytes;
}

// On the prototype and not in the class body: isolated declarations want literal member names.
Object.defineProperty(Secret.prototype, Symbol.for("nodejs.util.inspect.custom"), { value: () => "[secret]" });
