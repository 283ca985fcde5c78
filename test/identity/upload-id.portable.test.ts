// What follows from an uploadId, against hashes written out here.

import { sha256 } from "#crypto";
import { accessSecretOf, drawUploadId, isDrawnByServer, mediaIdOf } from "#identity";
import { ascii, be32, concat, fromHex, parseUploadId, toHex } from "#wire";
import { expect, test } from "vitest";
import { seededRandom } from "../support/random.ts";

const uploadId = parseUploadId("00".repeat(31) + "01");

function hashUnder(label: string): string {
  return toHex(sha256(concat(ascii(label), new Uint8Array(1), be32(32), fromHex(uploadId))));
}

test("the mediaId and the access secret are hashes of the uploadId, each under a label of its own", () => {
  expect(mediaIdOf(uploadId)).toBe(hashUnder("Edgewise/media/id/v1"));
  expect(toHex(accessSecretOf(uploadId))).toBe(hashUnder("Edgewise/media/access-secret/v1"));
});

test("an uploadId says in its first bit, and nowhere else, who drew it", () => {
  for (let seed = 1; seed <= 16; seed++) {
    const byServer = drawUploadId("server", seededRandom(seed));
    const byClient = drawUploadId("client", seededRandom(seed));
    expect([isDrawnByServer(byServer), isDrawnByServer(byClient)]).toEqual([true, false]);
    expect(byServer.slice(1)).toBe(byClient.slice(1));
    expect(Number.parseInt(byServer.charAt(0), 16) | 8).toBe(Number.parseInt(byClient.charAt(0), 16));
    expect(mediaIdOf(byServer)).not.toBe(mediaIdOf(byClient));
  }
});
