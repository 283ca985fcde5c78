// What is measured: the works, and what a subject has to be able to do. Knows no implementation.

export const WORKS = [
  "session set-up",
  "one way 1 KiB",
  "ping-pong 32 B",
  "sender key encrypt 1 KiB",
  "sender key encrypt+decrypt 1 KiB",
  "sealed v1 encrypt",
  "sealed v1 decrypt",
  "sealed v2 10 recipients",
] as const;

export type Work = (typeof WORKS)[number];

/** One operation of a work. Whatever state it changes it leaves stored, and serialised. */
export type Step = () => void | Promise<void>;

export interface Subject {
  /** Makes what the work needs beforehand and returns its operation; works that are missing here it cannot do. */
  readonly works: Partial<Readonly<Record<Work, () => Step | Promise<Step>>>>;
}

/** What every subject encrypts where a work says 1 KiB, and where it says 32 B. */
export const KIBIBYTE: Uint8Array<ArrayBuffer> = new Uint8Array(1024).fill(0x61);
export const SHORT: Uint8Array<ArrayBuffer> = new Uint8Array(32).fill(0x61);
export const RECIPIENTS = 10;

/**
 * Strangers that a set-up meets, each with an identity of its own: more than any cache of identities holds, because in
 * life a session is set up with a device that was not met before.
 */
export const STRANGERS = 1200;

export function requireEqual(actual: Uint8Array, expected: Uint8Array): void {
  if (actual.length !== expected.length) throw new Error("a subject decrypted to something else");
}
