// A file on its way to the server of this machine: by tus in requests of 16 MiB, as the client sends it, against a Worker that
// puts one request into one object of the same bucket. What the file holds does not matter here: it is noise of an encrypted
// file's length.

import { randomBytes } from "node:crypto";
import { encryptedMediaLength, MAX_MEDIA_REQUEST_BYTES, pathOf, TUS_CONTENT_TYPE, TUS_VERSION } from "../../wire/index.ts";
import { HttpUser } from "../../test/server/http-user.ts";
import { type BenchServer, startBenchServer } from "../bench-server.ts";
import type { Rounds } from "../rounds.ts";

/** The reference of these rows. */
export const PLAIN_PUT = "one R2 put";

export interface UploadPlan {
  readonly rounds: number;
  /** Of plaintext. */
  readonly mebibytes: number;
}

interface Uploader {
  readonly subject: string;
  upload(file: Uint8Array<ArrayBuffer>): Promise<void>;
}

export async function measureUploads(rounds: Rounds, { rounds: count, mebibytes }: UploadPlan): Promise<void> {
  const file = Uint8Array.from(randomBytes(encryptedMediaLength(mebibytes * 1024 * 1024)));
  const servers = [await startBenchServer("edgewise"), await startBenchServer("floor")] as const;
  try {
    const uploaders = [await tusUploader(servers[0]), plainUploader(servers[1])];
    for (const uploader of uploaders) await uploader.upload(file.slice(0, encryptedMediaLength(1024 * 1024)));
    for (let round = 0; round < count; round++) {
      for (const uploader of round % 2 === 0 ? uploaders : uploaders.toReversed()) {
        const start = performance.now();
        await uploader.upload(file);
        const seconds = (performance.now() - start) / 1000;
        rounds.note(uploader.subject, [{ work: `upload ${mebibytes} MiB`, unit: "MB/s", value: file.length / 1e6 / seconds }]);
      }
    }
  } finally {
    for (const server of servers) await server.end();
  }
}

async function tusUploader({ url }: BenchServer): Promise<Uploader> {
  const user = new HttpUser(url, 1);
  await user.register();
  const tus = { "tus-resumable": TUS_VERSION };
  return {
    subject: "edgewise, by tus",
    async upload(file) {
      const headers = { ...tus, authorization: user.authorization, "upload-length": String(file.length) };
      const created = await ask(url + pathOf("createUpload"), { method: "POST", headers });
      const location = url + (created.headers.get("location") ?? "");
      for (let offset = 0; offset < file.length; offset += MAX_MEDIA_REQUEST_BYTES) {
        const append = { ...tus, "content-type": TUS_CONTENT_TYPE, "upload-offset": String(offset) };
        await ask(location, { method: "PATCH", headers: append, body: file.subarray(offset, offset + MAX_MEDIA_REQUEST_BYTES) });
      }
    },
  };
}

function plainUploader({ url }: BenchServer): Uploader {
  let number = 0;
  return {
    subject: PLAIN_PUT,
    async upload(file) {
      await ask(`${url}/files/${number++}`, { method: "PUT", body: file });
    },
  };
}

async function ask(url: string, request: RequestInit): Promise<Response> {
  const response = await fetch(url, request);
  if (!response.ok) throw new Error(`${request.method} ${response.status} ${await response.text()}`);
  await response.arrayBuffer();
  return response;
}
