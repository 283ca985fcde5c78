// Files of Node's file system, to send and to download into. What is downloaded is at `PATH.part` until it is whole and proven, and
// then under its name, in one step.

import { type FileHandle, open, rename, rm, stat } from "node:fs/promises";
import { constants, openAsBlob } from "node:fs";
import { basename, dirname } from "node:path";
import type { Bytes } from "#wire";
import type { FileSink } from "./api.ts";
import { ClientError } from "./errors.ts";
import { syncFolder } from "./store/sqlite-file.ts";

const READ_BYTES = 256 * 1024;

/** A file to send: read when it is sent, and not before. `mime` is what its readers are told. @throws ClientError `file-unreadable` */
export async function fileAt(path: string, options: { readonly mime?: string; readonly name?: string } = {}): Promise<File> {
  const { mime = "", name = basename(path) } = options;
  try {
    // A pipe would keep the program waiting for whoever writes into it, and others have no length.
    if (!(await stat(path)).isFile()) throw new ClientError("file-unreadable", { detail: "no regular file" });
    return new File([await openAsBlob(path)], name, { type: mime });
  } catch (cause) {
    if (cause instanceof ClientError) throw cause;
    throw new ClientError("file-unreadable", { cause });
  }
}

/** Downloads into `path`, and goes on where an earlier try was, also one of another program that is gone. */
export function fileSink(path: string): FileSink {
  return new PartFile(path);
}

class PartFile implements FileSink {
  readonly #path: string;
  #file: FileHandle | undefined;
  /** Where the next bytes go. */
  #at = 0;

  constructor(path: string) {
    this.#path = path;
  }

  get #part(): string {
    return `${this.#path}.part`;
  }

  async *left(): AsyncGenerator<Bytes, void, undefined> {
    const file = await this.#opened();
    for (let at = 0; ;) {
      const buffer = new Uint8Array(READ_BYTES);
      const { bytesRead } = await orUnwritable(file.read(buffer, 0, READ_BYTES, at));
      if (bytesRead === 0) return;
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }

  async open(length: number): Promise<void> {
    const file = await this.#opened();
    await orUnwritable(file.truncate(length));
    this.#at = length;
  }

  async write(bytes: Bytes): Promise<void> {
    const file = await this.#opened();
    for (let written = 0; written < bytes.length;) {
      const { bytesWritten } = await orUnwritable(file.write(bytes, written, bytes.length - written, this.#at));
      written += bytesWritten;
      this.#at += bytesWritten;
    }
  }

  async finish(): Promise<void> {
    const file = await this.#opened();
    await orUnwritable(file.sync());
    await this.close();
    await orUnwritable(rename(this.#part, this.#path));
    syncFolder(dirname(this.#path));
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async discard(): Promise<void> {
    await this.close();
    await orUnwritable(rm(this.#part, { force: true }));
  }

  /** Made for its owner only; it may be there. */
  async #opened(): Promise<FileHandle> {
    // "a+" would write at the end, "r+" not make it.
    this.#file ??= await orUnwritable(open(this.#part, constants.O_RDWR | constants.O_CREAT, 0o600));
    return this.#file;
  }
}

async function orUnwritable<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    throw new ClientError("file-unwritable", { cause });
  }
}
