// An error of crypto/ says which rule was broken and nothing about the bytes that broke it: not in its text, its
// properties, its stack or its causes.

import {
  agree,
  backend,
  cbcDecrypt,
  cbcEncrypt,
  gcmSivOpenOnce,
  generateKeyPair,
  generateKyberKeyPair,
  hkdf,
  keyPairFromPrivate,
  kyberDecapsulate,
  kyberKeyPairFromSeed,
  KyberPublicKey,
  nobleBackend,
  parseIdentityKey,
  parsePublicKey,
  PublicKey,
  Secret,
  sign,
  signWithSeed,
  useBackend,
  xchachaOpen,
} from "#crypto";
import { nodeBackend } from "#crypto/node";
import type { Bytes } from "#wire";
import { inspect } from "node:util";
import { afterEach, expect, test } from "vitest";
import { encoded, lowOrderEncodings, mixedOrderKeys, nonCanonicalEncodings } from "../support/keys.ts";
import { seededRandom } from "../support/random.ts";
import { thrownBy } from "../support/refusals.ts";
import { traces } from "../support/secrets.ts";

const before = backend();
afterEach(() => {
  useBackend(before);
});

const random = seededRandom(13);
const peer = generateKeyPair(random).publicKey;
const kyber = generateKyberKeyPair(random);

/** A call that fails, with everything it was given. */
interface Failure {
  readonly name: string;
  readonly inputs: readonly Bytes[];
  readonly call: () => unknown;
}

function failing(name: string, inputs: readonly Bytes[], call: (...inputs: readonly Bytes[]) => unknown): Failure {
  return { name, inputs, call: () => call(...inputs) };
}

/** A key that is too short, given as a secret. */
function withShortSecret(name: string, use: (secret: Secret) => unknown): Failure {
  const bytes = random(31);
  return { name, inputs: [bytes], call: () => use(new Secret(Uint8Array.from(bytes))) };
}

const failures: readonly Failure[] = [
  withShortSecret("agree", (secret) => agree(secret, peer)),
  withShortSecret("keyPairFromPrivate", keyPairFromPrivate),
  withShortSecret("sign", (secret) => sign(secret, random(20), random)),
  withShortSecret("signWithSeed", (secret) => signWithSeed(secret, random(20))),
  withShortSecret("kyberKeyPairFromSeed", kyberKeyPairFromSeed),
  withShortSecret("kyberDecapsulate", (secret) => kyberDecapsulate(secret, random(1569))),
  failing("kyberDecapsulate", [random(1569)], (ciphertext) => kyberDecapsulate(kyber.seed, ciphertext ?? random(1))),
  ...[random(20), random(33), ...lowOrderEncodings.slice(4, 6), ...nonCanonicalEncodings.slice(-1)].map((bytes) =>
    failing("PublicKey.fromRaw", [bytes], () => PublicKey.fromRaw(bytes)),
  ),
  ...[random(32), random(34), encoded(lowOrderEncodings[4] ?? random(1))].map((bytes) =>
    failing("parsePublicKey", [bytes], () => parsePublicKey(bytes)),
  ),
  ...mixedOrderKeys.map((u) => failing("parseIdentityKey", [u], () => parseIdentityKey(encoded(u)))),
  failing("KyberPublicKey.parse", [random(1569)], (bytes) => KyberPublicKey.parse(bytes ?? random(1))),
  failing("cbcEncrypt", [random(31), random(16), random(20)], (key = random(1), iv = random(1), data = random(1)) =>
    cbcEncrypt(key, iv, data),
  ),
  failing("cbcDecrypt", [random(32), random(16), random(33)], (key = random(1), iv = random(1), data = random(1)) =>
    cbcDecrypt(key, iv, data),
  ),
  failing("cbcDecrypt", [random(32), random(16), random(2048)], (key = random(1), iv = random(1), data = random(1)) =>
    cbcDecrypt(key, iv, data),
  ),
  failing("gcmSivOpenOnce", [random(32), random(50)], (key = random(1), sealed = random(1)) => gcmSivOpenOnce(key, sealed)),
  failing("gcmSivOpenOnce", [random(32), random(5)], (key = random(1), sealed = random(1)) => gcmSivOpenOnce(key, sealed)),
  failing("xchachaOpen", [random(32), random(80), random(9)], (key = random(1), sealed = random(1), data = random(1)) =>
    xchachaOpen(key, sealed, data),
  ),
  failing("xchachaOpen", [random(32), random(9), random(9)], (key = random(1), sealed = random(1), data = random(1)) =>
    xchachaOpen(key, sealed, data),
  ),
  failing("hkdf", [random(32), random(32), random(32)], (salt = random(1), inputKey = random(1), info = random(1)) =>
    hkdf({ salt, inputKey, info, length: 9000 }),
  ),
];

/** The error and its causes, in every form in which somebody might log them. */
function texts(error: Error): readonly string[] {
  const own = [String(error), error.stack ?? "", JSON.stringify(error), inspect(error, { depth: Infinity, showHidden: true })];
  return error.cause instanceof Error ? [...own, ...texts(error.cause)] : own;
}

test.each([nobleBackend, nodeBackend].map((installed) => ({ backendName: installed.name, installed })))(
  "no error of the $backendName backend shows a byte of what it was given",
  ({ installed }) => {
    useBackend(installed);
    for (const { name, inputs, call } of failures) {
      const error = thrownBy(call);
      const shown = texts(error).filter((text) => inputs.some((input) => traces(input, text)));
      expect({ name, shown }).toEqual({ name, shown: [] });
    }
    expect(failures.length).toBeGreaterThan(20);
  },
);

test("every error is of a family with a code, so that nobody has to read its text", () => {
  for (const { name, call } of failures) {
    expect({ name, error: thrownBy(call) }).toMatchObject({
      error: { name: expect.stringMatching(/^(Protocol|Usage)Error$/), code: expect.any(String) },
    });
  }
});

test("an error that did show its input would be seen", () => {
  const input = random(32);
  expect(texts(new Error("bad key", { cause: new Error(`was ${String(input)}`) })).some((text) => traces(input, text))).toBe(true);
});
