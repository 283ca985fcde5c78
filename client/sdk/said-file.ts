// Files of messages as users of the SDK hold them: what their sender says of them at once, and the files themselves when they are
// asked for. Nothing is fetched before.

import type { Bytes } from "#wire";
import type { Attachment, DownloadOptions, FileSink } from "../api.ts";
import { ClientError } from "../errors.ts";
import type { Download } from "../media/download.ts";
import { type AttachmentRecord, MESSAGES, type MessageRecord } from "../records/tables.ts";
import type { Views } from "./views.ts";

export class SaidFile implements Attachment {
  readonly name: string;
  readonly mime: string;
  readonly size: number;
  readonly width: number | undefined;
  readonly height: number | undefined;
  readonly thumbhash: Bytes | undefined;
  readonly #views: Views;
  readonly #message: MessageRecord;
  readonly #index: number;

  constructor(views: Views, message: MessageRecord, { name, mime, size, width, height, thumbhash }: AttachmentRecord, index: number) {
    this.#views = views;
    this.#message = message;
    this.#index = index;
    this.name = name;
    this.mime = mime;
    this.size = size;
    this.width = width === 0 ? undefined : width;
    this.height = height === 0 ? undefined : height;
    this.thumbhash = thumbhash.length === 0 ? undefined : thumbhash;
  }

  download(options?: DownloadOptions): Promise<Blob>;
  download(options: DownloadOptions & { readonly to: FileSink }): Promise<void>;
  async download(options: DownloadOptions & { readonly to?: FileSink } = {}): Promise<Blob | void> {
    const { downloadTo, downloadWhole } = await import("../media/download.ts");
    const download = await this.#download(options);
    return options.to === undefined ? await downloadWhole(download, this.mime) : await downloadTo(download, options.to);
  }

  async *stream(options: DownloadOptions & { readonly from?: number } = {}): AsyncGenerator<Bytes, void, undefined> {
    const { readFrom } = await import("../media/download.ts");
    yield* readFrom(await this.#download(options), options.from ?? 0);
  }

  /** By what is stored now: a file may have come to the server meanwhile, or its message may be gone. */
  async #download({ onProgress, signal }: DownloadOptions): Promise<Download> {
    signal?.throwIfAborted();
    const { conversation, ordinal } = this.#message;
    const record = await this.#views.read((records) => records.get(MESSAGES, conversation, ordinal));
    const file = record?.attachments?.[this.#index];
    if (file === undefined) throw new ClientError("unknown-message");
    if (file.stored === undefined) throw new ClientError("file-not-sent");
    const { engine } = this.#views;
    const { clock, random } = engine.sending;
    return { file: { ...file, stored: file.stored }, server: await engine.media(), clock, random, onProgress, signal };
  }
}
