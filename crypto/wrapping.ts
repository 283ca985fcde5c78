// A secret at rest under a key of the platform's that no script can read, ours included: AES-256-GCM of Web Crypto with a key
// that cannot be extracted. Asynchronous, because the platform's keys are.

import { type Bytes, ProtocolError } from "#wire";
import { systemRandom } from "./random.ts";
import { Secret } from "./secret.ts";
import { subtle } from "./subtle.ts";

const NONCE_BYTES = 12;

/** What a database of the browser can keep as it is. */
export interface WrappedSecret {
  readonly wrappingKey: (typeof CryptoKey)["prototype"];
  readonly nonce: Bytes;
  readonly sealed: ArrayBuffer;
}

/** @throws UsageError `bad-argument` where there is no Web Crypto: on a page that did not come over HTTPS. */
export async function wrapSecret(secret: Secret, associated: Bytes): Promise<WrappedSecret> {
  const nonce = systemRandom(NONCE_BYTES);
  const wrappingKey = await subtle().generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  const sealed = await subtle().encrypt({ name: "AES-GCM", iv: nonce, additionalData: associated }, wrappingKey, secret.expose());
  return { wrappingKey, nonce, sealed };
}

/** @throws UsageError `bad-argument` as above, ProtocolError `bad-tag`. */
export async function unwrapSecret({ wrappingKey, nonce, sealed }: WrappedSecret, associated: Bytes): Promise<Secret> {
  const platform = subtle();
  try {
    return new Secret(
      new Uint8Array(await platform.decrypt({ name: "AES-GCM", iv: nonce, additionalData: associated }, wrappingKey, sealed)),
    );
  } catch (cause) {
    throw new ProtocolError("bad-tag", { cause });
  }
}
