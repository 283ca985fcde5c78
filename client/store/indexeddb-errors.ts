// What IndexedDB's refusals mean to whoever uses a store: the names are in the W3C's Indexed Database API 3.0 and in Web IDL.

import { ClientError, type ErrorCode } from "../errors.ts";
import { transactionOver } from "./ended.ts";

const CODES: ReadonlyMap<string, ErrorCode> = new Map<string, ErrorCode>([
  ["QuotaExceededError", "storage-full"],
  ["VersionError", "upgrade-required"],
  // The connection was given up, for a newer program or because the data was cleared.
  ["InvalidStateError", "closed"],
  // A value that the browser keeps in a file of its own is gone or unreadable.
  ["NotReadableError", "storage-corrupt"],
  ["NotFoundError", "storage-corrupt"],
  ["DataCloneError", "storage-corrupt"],
]);

/** @throws ClientError in IndexedDB's place. */
export async function translated<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw storageError(error);
  }
}

function storageError(cause: unknown): ClientError {
  if (cause instanceof ClientError) return cause;
  const name = cause instanceof Error || cause instanceof DOMException ? cause.name : "";
  if (name === "TransactionInactiveError") return transactionOver(cause);
  return new ClientError(CODES.get(name) ?? "storage-failed", { cause });
}
