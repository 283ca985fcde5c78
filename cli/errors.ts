// What can go wrong for whoever types a command, as the line that is printed and the exit code that a script sees.
// Does not print.

import { ClientError } from "#client";

/** What a script can rely on: done · refused or failed · not a command that exists · temporary, the same again may work. */
export const EXIT = { done: 0, failed: 1, usage: 2, temporary: 75 } as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly exit: ExitCode;
  /** Of a message that is stored here all the same. */
  readonly id?: string;
}

/** A refusal of the command line's own. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly failure: Failure;

  constructor(failure: Failure, options?: ErrorOptions) {
    super(failure.message, options);
    this.failure = failure;
  }
}

export function usageError(message: string, hint = "See edgewise --help."): CommandError {
  return new CommandError({ code: "usage", message, hint, exit: EXIT.usage });
}

export function interrupted(): CommandError {
  const hint = "What was not finished can be asked for again; messages that were stored go out later.";
  return new CommandError({ code: "interrupted", message: "Interrupted.", hint, exit: EXIT.temporary });
}

/** Of standard output: a full disk, a broken terminal. */
export function cannotWrite(cause: Error): CommandError {
  const hint = "What was not printed is printed next time. Is the disk full?";
  return new CommandError({ code: "output-failed", message: "Standard output cannot be written.", hint, exit: EXIT.failed }, { cause });
}

/** A name that is not one thing's alone. `ids` are what to say instead. */
export function ambiguous(message: string, ids: readonly (string | number)[]): CommandError {
  return new CommandError({ code: "bad-argument", message, hint: `Name one by its id: ${ids.join(", ")}`, exit: EXIT.usage });
}

/** A message that is stored here and not yet at the server. */
export function stillQueued(id: string, cause: ClientError): CommandError {
  const hint = "The message is queued here and goes out with the next command that reaches the server. Do not send it again.";
  return new CommandError({ ...explain(cause), hint, id }, { cause });
}

/** Whoever ended the program should not think that nothing was stored. */
export function interruptedQueued(id: string): CommandError {
  const hint = `It goes out with the next command that reaches the server. Do not send it again; edgewise delete ${id} takes it back.`;
  const message = "Interrupted: the message is queued here, and not at the server yet.";
  return new CommandError({ code: "interrupted", message, hint, exit: EXIT.temporary, id });
}

/** A message that is not even stored: nobody knows yet whom it is for. */
export function notStored(cause: ClientError): CommandError {
  const hint = "Nothing was stored: whom it is for has to be asked from the server once. Send it again when the server is back.";
  return new CommandError({ ...explain(cause), hint }, { cause });
}

/** Of a file that was to be sent. */
export function cannotRead(path: string, reason: string, cause?: unknown): CommandError {
  const message = `${path} cannot be sent: ${reason}.`;
  return new CommandError({ code: "file-unreadable", message, hint: "Nothing was sent.", exit: EXIT.failed }, { cause });
}

/** Of a file that was to be somebody's picture. */
export function cannotShow(path: string, reason: string, cause?: unknown): CommandError {
  const message = `${path} cannot be shown: ${reason}.`;
  return new CommandError({ code: "file-unreadable", message, hint: "The picture is as it was.", exit: EXIT.failed }, { cause });
}

/** Of a picture of somebody, which goes without what a camera wrote into it, or not at all. */
export function damagedPicture(cause: ClientError): CommandError {
  const hint = "The picture is as it was. Save the new one again with a program for pictures, and set that.";
  return new CommandError({ ...explain(cause), hint }, { cause });
}

export function cannotSave(path: string, cause: unknown): CommandError {
  const hint = "Is there such a folder, and may this user write there?";
  return new CommandError({ code: "file-unwritable", message: `${path} cannot be written.`, hint, exit: EXIT.failed }, { cause });
}

/** Of somebody who shows none, or whose is not here. */
export function noPicture(): CommandError {
  const hint = "Either there is none, or it is not here yet: it comes with the next edgewise listen.";
  return new CommandError({ code: "no-picture", message: "There is no picture here.", hint, exit: EXIT.failed });
}

/** Named as a store. */
export function folderAsStore(path: string): CommandError {
  const hint = "A store is one file. Name one in it with --store: where there is none, a store is made.";
  return new CommandError({ code: "bad-argument", message: `${path} is a folder.`, hint, exit: EXIT.usage });
}

/** Where the program itself was told, or has chosen, whom to ask. */
export function noServer(address: string, cause: ClientError): CommandError {
  const hint = "Start one with npm start, or name another with --server URL.";
  return new CommandError({ ...explain(cause), message: `No server answers at ${address}.`, hint }, { cause });
}

/** No new device has said that it wants in. */
export function nobodyAsked(): CommandError {
  const hint = "On the new device: edgewise devices link --account. Or take the link that it shows: edgewise devices approve 'LINK'.";
  return new CommandError({ code: "nobody-asked", message: "No device has asked to be let in.", hint, exit: EXIT.temporary });
}

/** A group was named like a person. */
export function isGroup(title: string, cause: ClientError): CommandError {
  return new CommandError({ ...explain(cause), hint: `A group is named with #, in quotes: '#${title}'.` }, { cause });
}

/** Of a message without files, or with fewer. */
export function noSuchFile(count: number): CommandError {
  const hint = count === 0 ? "It has none." : `It has ${count}: --index takes 1 to ${count}.`;
  return new CommandError({ code: "unknown-file", message: "The message has no such file.", hint, exit: EXIT.failed });
}

export function fileExists(): CommandError {
  const hint = "Nothing was overwritten. Say with -o where it should go.";
  return new CommandError({ code: "file-exists", message: "There is a file of this name.", hint, exit: EXIT.failed });
}

export function explain(error: unknown): Failure {
  if (error instanceof CommandError) return error.failure;
  if (error instanceof ClientError) return explainClient(error);
  const hint = "This is a fault of the program. Set EDGEWISE_DEBUG=1 to see where it happened, and report it.";
  return { code: "internal", message: "Something went wrong that should not.", hint, exit: EXIT.failed };
}

/** Of a file that does not even begin like a store. */
const NO_STORE = /no store|was cut/;

function explainClient({ code, message, hint, retryable, retryAfter }: ClientError): Failure {
  const wait = retryAfter === undefined ? "" : ` Wait ${Math.ceil(retryAfter)} seconds.`;
  // What exactly is in brackets, and all that a person needs.
  const detail = /\(([^()]+)\)$/.exec(message)?.[1];
  if (code === "bad-argument") {
    const said = detail === undefined ? message : `${detail.charAt(0).toUpperCase()}${detail.slice(1)}.`;
    return { code, message: said, hint: "See edgewise --help.", exit: EXIT.usage };
  }
  if (code === "identity-changed") {
    const how = "Nothing was sent. Compare the safety number again, say so with edgewise verify NAME --mark, and send it again.";
    return { code, message, hint: how, exit: EXIT.failed };
  }
  if (code === "storage-corrupt" && detail !== undefined && NO_STORE.test(detail)) {
    const other = "Nothing was done to it. Name another file with --store: where there is none, a store is made.";
    return { code, message: "This file is no Edgewise store, or not a whole one.", hint: other, exit: EXIT.failed };
  }
  return { code, message, hint: hint + wait, exit: retryable ? EXIT.temporary : EXIT.failed };
}
