// Encrypted files in our own store, in pieces, for as long as they are on their way to the server. A file is encrypted once and no
// more: what is tried again are these bytes.

import type { Bytes } from "#wire";
import { UPLOAD_PIECES, type Upload, UPLOADS } from "../records/tables.ts";
import type { Reader, Vault } from "../records/vault.ts";

/** Sealed at once, and on the disk at once. */
const PIECE_BYTES: number = 1024 * 1024;

export function pieceLengths(length: number): readonly number[] {
  return Array.from({ length: Math.ceil(length / PIECE_BYTES) }, (_, i) => Math.min(PIECE_BYTES, length - i * PIECE_BYTES));
}

/** The encrypted file from `from` up to `to`; `undefined` when it is not needed any more, and gone. */
export async function readKept(records: Reader, { ordinal }: Upload, from: number, to: number): Promise<Bytes | undefined> {
  const first = Math.floor(from / PIECE_BYTES);
  const rows = await records.page(UPLOAD_PIECES, [ordinal], {
    ...(first === 0 ? {} : { after: first - 1 }),
    before: Math.ceil(to / PIECE_BYTES),
  });
  if (rows.length < Math.ceil(to / PIECE_BYTES) - first) return undefined;
  const bytes = new Uint8Array(to - from);
  for (const { ordinal: place, value } of rows) {
    const start = place * PIECE_BYTES;
    bytes.set(value.subarray(Math.max(0, from - start), to - start), Math.max(0, start - from));
  }
  return bytes;
}

/** Forgets a file that is `done`, some at a time: what is deleted is overwritten, and a hundred megabytes would stop the program. */
export async function forgetKept(vault: Vault, { ordinal, length }: Upload): Promise<void> {
  for (let place = 1; place <= pieceLengths(length).length; place++) {
    await vault.write(async (records) => void (await records.deleteBefore(UPLOAD_PIECES, [ordinal], place)));
  }
  await vault.write(async (records) => records.delete(UPLOADS, ordinal));
}
