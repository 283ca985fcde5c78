// Somebody who uploads and reads files over HTTP, as any client would. What the files hold is noise: the server cannot tell.

import { env } from "cloudflare:workers";
import { base64url } from "jose";
import * as v from "valibot";
import { accessSecretOf, mediaIdOf } from "#identity";
import { type Bytes, encryptedMediaLength, type MediaId, parseUploadId, pathOf, TUS_CONTENT_TYPE, TUS_VERSION, type UploadId } from "#wire";
import type { World } from "./world.ts";

export const TUS = { "tus-resumable": TUS_VERSION };
const MIB = 1024 * 1024;
/** The shortest file there is, and one that is a part and a bit: as they are stored. */
export const SMALL: number = encryptedMediaLength(0);
export const MEDIUM: number = encryptedMediaLength(6 * MIB);

export class Uploader {
  readonly world: World;
  readonly token: string;

  constructor(world: World, token: string) {
    this.world = world;
    this.token = token;
  }

  async create(length: number, headers: Readonly<Record<string, string>> = {}): Promise<UploadId> {
    const response = await this.world.ask("createUpload", {
      token: this.token,
      headers: { ...TUS, "upload-length": String(length), ...headers },
    });
    return uploadIdIn(response);
  }

  async head(uploadId: UploadId): Promise<Response> {
    return await this.world.ask("getUpload", { parameters: { uploadId }, headers: TUS });
  }

  async offset(uploadId: UploadId): Promise<number> {
    return Number((await this.head(uploadId)).headers.get("upload-offset") ?? Number.NaN);
  }

  async append(uploadId: UploadId, offset: number, octets: Bytes, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    const own = { ...TUS, "content-type": TUS_CONTENT_TYPE, "upload-offset": String(offset), "content-length": String(octets.length) };
    return await this.world.ask("appendUpload", { parameters: { uploadId }, octets, headers: { ...own, ...headers } });
  }

  async remove(uploadId: UploadId): Promise<Response> {
    return await this.world.ask("deleteUpload", { parameters: { uploadId }, headers: TUS });
  }

  async put(uploadId: UploadId, octets: Bytes, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    const own = { "content-length": String(octets.length) };
    return await this.world.ask("putMedia", { token: this.token, parameters: { uploadId }, octets, headers: { ...own, ...headers } });
  }

  async urlOf(uploadId: UploadId): Promise<string> {
    const response = await this.askUrl(mediaIdOf(uploadId), accessSecretOf(uploadId));
    return v.parse(v.object({ url: v.string() }), await response.json()).url;
  }

  async askUrl(mediaId: MediaId, accessSecret: Bytes): Promise<Response> {
    const authorization = `EdgewiseMedia ${base64url.encode(accessSecret)}`;
    return await this.world.ask("createMediaUrl", { parameters: { mediaId }, headers: { authorization } });
  }

  /** @param url path and query, as `urlOf` says it */
  async get(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
    const [path = "", query = ""] = url.split("?");
    const mediaId = path.split("/").at(-1) ?? "";
    if (pathOf("getMedia", { mediaId }) !== path) throw new RangeError("no URL of a file");
    return await this.world.ask("getMedia", { parameters: { mediaId }, query: query === "" ? "" : `?${query}`, headers });
  }

  async read(uploadId: UploadId): Promise<Bytes> {
    return new Uint8Array(await (await this.get(await this.urlOf(uploadId))).arrayBuffer());
  }
}

export function uploadIdIn(response: Response): UploadId {
  return parseUploadId(response.headers.get("location")?.split("/").at(-1));
}

/** Everything in the bucket. */
export async function stored(): Promise<readonly R2Object[]> {
  const { objects, truncated } = await env.MEDIA.list({ include: ["customMetadata", "httpMetadata"] });
  if (truncated) throw new RangeError("more files than a test makes");
  return objects;
}
