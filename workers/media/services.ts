// All that this module reaches: the bucket of files, the objects of uploads, and the key of temporary URLs. No database, no
// mailbox, and nobody's name.

import { type SeedVersion, type UploadApi } from "#durable-objects";
import type { MediaId } from "#wire";
import { Objects } from "../objects.ts";
import { MediaUrls } from "./urls.ts";

export interface MediaBindings {
  readonly bucket: R2Bucket;
  readonly uploads: DurableObjectNamespace;
  /** Newest first. */
  readonly seeds: readonly SeedVersion[];
}

export class MediaServices {
  readonly bucket: R2Bucket;
  readonly urls: MediaUrls;
  readonly #uploads: Objects<UploadApi>;

  constructor({ bucket, uploads, seeds }: MediaBindings) {
    this.bucket = bucket;
    this.urls = new MediaUrls(seeds);
    this.#uploads = new Objects(uploads);
  }

  /** For calls that may run twice. @throws Unavailable */
  async upload<T>(mediaId: MediaId, call: (upload: UploadApi) => Promise<T>): Promise<T> {
    return await this.#uploads.retried(mediaId, call);
  }

  /** For a call that takes a body, and as long as that takes to come. @throws Unavailable */
  async uploadWithBody<T>(mediaId: MediaId, call: (upload: UploadApi) => Promise<T>): Promise<T> {
    return await this.#uploads.patiently(mediaId, call);
  }
}
