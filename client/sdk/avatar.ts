// Pictures of people and groups as users of the SDK hold them, and how one is set.

import { type Bytes, sameBytes, toHex } from "#wire";
import type { Avatar } from "../api.ts";
import { avatarOf, bytesOf } from "../avatars/records.ts";
import { ClientError } from "../errors.ts";
import { givenBlob } from "../given.ts";
import type { ConversationId, ShownAvatar } from "../records/tables.ts";
import type { Reader, Vault, Writer } from "../records/vault.ts";
import type { Engine } from "./engine.ts";

export class StoredAvatar implements Avatar {
  readonly id: string;
  readonly mime: string;
  readonly width: number;
  readonly height: number;
  readonly #vault: Vault;
  readonly #of: ConversationId;
  readonly #digest: Bytes;

  constructor(vault: Vault, of: ConversationId, { digest, mime, width, height }: ShownAvatar) {
    this.#vault = vault;
    this.#of = of;
    this.#digest = digest;
    this.id = toHex(digest);
    this.mime = mime;
    this.width = width;
    this.height = height;
  }

  async blob(): Promise<Blob | undefined> {
    const bytes = await this.#vault.read((records) => bytesOf(records, this.#of, this.#digest));
    return bytes === undefined ? undefined : new Blob([bytes], { type: this.mime });
  }
}

export interface SetAvatar {
  readonly of: ConversationId;
  readonly picture: Blob;
  readonly signal: AbortSignal | undefined;
  /** In the transaction that keeps it. @throws ClientError when it may not be set */
  readonly also: (records: Writer) => Promise<void>;
}

/** Resolves when whoever it is for is told of it. @throws ClientError of the picture, of the server */
export async function setAvatar(engine: Engine, { of, picture, signal, also }: SetAvatar): Promise<void> {
  const { sending, uploads, avatars } = engine;
  givenBlob(picture, "a picture");
  signal?.throwIfAborted();
  const { prepareAvatar } = await import("../avatars/prepare.ts");
  const { dropAvatar, keepAvatar, setPending } = await import("../avatars/setting.ts");
  const kept = await keepAvatar(sending, await prepareAvatar(picture), signal);
  const isNews = await sending.vault
    .write(async (records) => {
      await also(records);
      if (await isShown(records, of, kept.picture.digest)) return false;
      await setPending(records, of, kept, { worker: uploads.worker });
      return true;
    })
    .catch(async (error: unknown) => {
      await dropAvatar(sending, kept);
      throw error;
    });
  if (!isNews) {
    await dropAvatar(sending, kept);
    return;
  }
  uploads.retryNow();
  avatars.retryNow();
  await engine.until(() => sending.vault.read((records) => isTold(records, of, kept.kept.upload.ordinal)), of, signal);
}

/** It is the one that everybody sees, and no other is on its way. */
async function isShown(records: Reader, of: ConversationId, digest: Bytes): Promise<boolean> {
  const { told, pending } = await avatarOf(records, of);
  const isOther = pending !== undefined && pending.error === undefined;
  return !isOther && told?.contentDigest !== undefined && sameBytes(told.contentDigest, digest);
}

/** @throws ClientError why it is not */
async function isTold(records: Reader, of: ConversationId, ordinal: number): Promise<boolean> {
  const { pending } = await avatarOf(records, of);
  if (pending?.ordinal !== ordinal) return true;
  if (pending.error !== undefined) throw new ClientError(pending.error);
  return false;
}
