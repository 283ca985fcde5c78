// One suite for every backend: published known answers, asked of the functions the rest of the house calls.
// That two backends agree on inputs nobody published is test/crypto/backends-agree.test.ts.

import { type Backend, useBackend } from "#crypto";
import { afterAll, beforeAll, describe } from "vitest";
import { chunkConformance } from "./chunks.ts";
import { cipherConformance } from "./ciphers.ts";
import { agreementConformance } from "./agreement.ts";
import { hashConformance } from "./hashes.ts";
import { kemConformance } from "./kem.ts";
import { signatureConformance } from "./signatures.ts";

export function backendConformance(name: string, backend: Backend): void {
  describe(`the ${name} backend`, () => {
    let before = backend;
    beforeAll(() => {
      before = useBackend(backend);
    });
    afterAll(() => {
      useBackend(before);
    });
    hashConformance();
    cipherConformance(backend);
    chunkConformance();
    agreementConformance(backend);
    signatureConformance(backend);
    kemConformance(backend);
  });
}
