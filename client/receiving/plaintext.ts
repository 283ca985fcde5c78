// What a session or a sender key has decrypted, decoded.

import { type Bytes, type Content, type ContentCopy, decodeContent, decodeContentCopy, WireError } from "#wire";

/** Or the code of what is wrong with it. */
export function decodePlaintext(plaintext: Bytes): { readonly copy: ContentCopy; readonly content: Content } | string {
  try {
    const copy = decodeContentCopy(plaintext);
    return { copy, content: decodeContent(copy.content) };
  } catch (error) {
    if (error instanceof WireError) return error.code;
    throw error;
  }
}
