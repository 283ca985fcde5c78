// What SQLite's refusals mean to whoever uses a store, and how long to wait for another program. Result codes:
// sqlite.org/rescode.html.

import { ClientError } from "../errors.ts";

/** Our statements never change: what SQLite finds wrong with one is in the file that it describes. */
const ERROR = 1;
const BUSY = 5;
const LOCKED = 6;
const CORRUPT = 11;
const FULL = 13;
const NOT_A_DATABASE = 26;
/** Extended code: the file ends where a page should be. */
const SHORT_READ = 522;
const BASE_CODE = 0xff;

/** Far longer than a transaction takes; whoever waits in vain for this long should hear of it. */
const PATIENCE_MILLISECONDS = 5_000;
const MAX_PAUSE_MILLISECONDS = 4;

/**
 * Tries until no other program is in the way. SQLite's own way of waiting would stop the whole program meanwhile.
 * @throws ClientError `storage-locked` when it takes too long.
 */
export async function patiently<T>(attempt: () => T): Promise<T> {
  const end = performance.now() + PATIENCE_MILLISECONDS;
  for (;;) {
    try {
      return attempt();
    } catch (cause) {
      if (!isBusy(cause)) throw storageError(cause);
      if (performance.now() > end) throw new ClientError("storage-locked", { cause });
    }
    // Not in step with another program that waits for the same.
    await pause(MAX_PAUSE_MILLISECONDS * Math.random());
  }
}

/** @throws ClientError in SQLite's place. */
export function translated<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw storageError(error);
  }
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, milliseconds));
}

/** Somebody else's file, or one that was written over. */
const NO_STORE = "the file is no store";

export function damaged(detail: string, cause?: unknown): ClientError {
  return new ClientError("storage-corrupt", { detail, cause });
}

function storageError(cause: unknown): ClientError {
  if (cause instanceof ClientError) return cause;
  const code = resultCode(cause);
  if (code === SHORT_READ) return damaged("the file was cut", cause);
  switch (code & BASE_CODE) {
    case BUSY:
    case LOCKED:
      return new ClientError("storage-locked", { cause });
    case FULL:
      return new ClientError("storage-full", { cause });
    case NOT_A_DATABASE:
      return damaged(NO_STORE, cause);
    case ERROR:
    case CORRUPT:
      return damaged("the file is damaged", cause);
  }
  // An integer that no checksum of ours can be.
  if (hasCode(cause, "ERR_OUT_OF_RANGE")) return damaged("a record is damaged", cause);
  if (hasCode(cause, "ENOSPC") || hasCode(cause, "EDQUOT")) return new ClientError("storage-full", { cause });
  return new ClientError("storage-failed", { cause });
}

function isBusy(error: unknown): boolean {
  return (resultCode(error) & BASE_CODE) === BUSY;
}

function resultCode(error: unknown): number {
  return error instanceof Error && "errcode" in error && typeof error.errcode === "number" ? error.errcode : 0;
}

export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
