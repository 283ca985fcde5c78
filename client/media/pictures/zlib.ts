// zlib streams (RFC 1950), as PNG keeps a colour profile: by the platform, which browsers, Node and workerd have alike.

import { type Bytes, concat, WireError } from "#wire";

/** @throws WireError `too-long` past `limit` bytes, `bad-value` for what is no stream or goes on behind it */
export async function inflate(compressed: Bytes, limit: number): Promise<Bytes> {
  try {
    return await passed(compressed, new DecompressionStream("deflate"), limit);
  } catch (cause) {
    throw cause instanceof WireError ? cause : new WireError("bad-value", { cause });
  }
}

export function deflate(bytes: Bytes): Promise<Bytes> {
  return passed(bytes, new CompressionStream("deflate"), Infinity);
}

async function passed(bytes: Bytes, through: CompressionStream | DecompressionStream, limit: number): Promise<Bytes> {
  const chunks: Bytes[] = [];
  let length = 0;
  for await (const chunk of new Blob([bytes]).stream().pipeThrough(through)) {
    length += chunk.length;
    if (length > limit) throw new WireError("too-long");
    chunks.push(chunk);
  }
  return concat(...chunks);
}
