// What users of the SDK give: from JavaScript that may be anything. Each returns what it was given, as what it has to be, before
// anything is kept or sent.

import { MAX_EMOJI_BYTES, MAX_NAME_BYTES, MAX_TEXT_BYTES, toUtf8 } from "#wire";
import { ClientError } from "./errors.ts";

function notThis(detail: string): ClientError {
  return new ClientError("bad-argument", { detail });
}

/** @throws ClientError `bad-argument` */
export function givenString(given: unknown, what: string): string {
  if (typeof given !== "string" || !given.isWellFormed()) throw notThis(`${what} is well-formed text`);
  return given;
}

/** Of a message. @throws ClientError `bad-argument`, `too-long` */
export function givenText(given: unknown): string {
  const text = givenString(given, "a text");
  if (toUtf8(text).length > MAX_TEXT_BYTES) throw new ClientError("too-long");
  return text;
}

/** What somebody is called. @throws ClientError `bad-argument` */
export function givenName(given: unknown): string {
  const name = givenString(given, "a name");
  if (toUtf8(name).length > MAX_NAME_BYTES) throw notThis(`a name has at most ${MAX_NAME_BYTES} bytes`);
  return name;
}

/** Nothing takes a reaction back. @throws ClientError `bad-argument` */
export function givenEmoji(given: unknown): string {
  const emoji = givenString(given, "a reaction");
  if (toUtf8(emoji).length > MAX_EMOJI_BYTES) throw notThis(`a reaction has at most ${MAX_EMOJI_BYTES} bytes`);
  return emoji;
}

/** @throws ClientError `bad-argument` */
export function givenFlag(given: unknown, what: string): boolean {
  if (typeof given !== "boolean") throw notThis(`${what} is true or false`);
  return given;
}

/** @throws ClientError `bad-argument` */
export function givenWhole(given: unknown, what: string, most: number = Number.MAX_SAFE_INTEGER): number {
  if (typeof given !== "number" || !Number.isSafeInteger(given) || given < 1 || given > most)
    throw notThis(`${what} is a whole number from 1 to ${most}`);
  return given;
}

/** @throws ClientError `bad-argument` */
export function givenBlob(given: unknown, what: string): Blob {
  if (!(given instanceof Blob)) throw notThis(`${what} is a Blob`);
  return given;
}

/** @throws ClientError `bad-argument` */
export function givenOneOf<T extends string>(given: unknown, choices: readonly T[], what: string): T {
  const chosen = choices.find((choice) => choice === given);
  if (chosen === undefined) throw notThis(`${what} is one of: ${choices.join(", ")}`);
  return chosen;
}
