// What a sealed content is padded to, so that the sizes on the wire are six and say nothing else. The padding is a
// field of the unidentified-sender message that the official library skips; wire/ knows how to write it.

import { encodeSealedContent, PADDING_BUCKETS, padSealedContent, ProtocolError, SEALED_PADDING_OVERHEAD, type SealedContent } from "#wire";
import type { Bytes } from "#wire";

/**
 * The encoded content in the smallest bucket that holds it.
 * @throws ProtocolError `over-limit` above 64 KiB.
 */
export function encodePadded(content: SealedContent): Bytes {
  const encoded = encodeSealedContent(content);
  const bucket = PADDING_BUCKETS.find((size) => size >= encoded.length + SEALED_PADDING_OVERHEAD);
  if (bucket === undefined) throw new ProtocolError("over-limit");
  return padSealedContent(encoded, bucket);
}
