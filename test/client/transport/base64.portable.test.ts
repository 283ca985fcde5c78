// The strict base64url of the server's JSON.

import { WireError } from "#wire";
import { expect, test } from "vitest";
import { seededRandom } from "../../support/random.ts";
import { fromBase64Url, toBase64Url } from "../../../client/transport/base64.ts";

test("bytes of every length come back", () => {
  const random = seededRandom(1);
  for (let length = 0; length < 70; length++) {
    const bytes = random(length);
    const text = toBase64Url(bytes);
    expect(text).toMatch(/^[\w-]*$/);
    expect([...fromBase64Url(text)]).toEqual([...bytes]);
  }
});

test("RFC 4648 section 10, in the alphabet of section 5", () => {
  const texts = ["", "Zg", "Zm8", "Zm9v", "Zm9vYg", "Zm9vYmE", "Zm9vYmFy"];
  for (const [length, text] of texts.entries()) {
    const bytes = new TextEncoder().encode("foobar".slice(0, length));
    expect(toBase64Url(bytes)).toBe(text);
    expect([...fromBase64Url(text)]).toEqual([...bytes]);
  }
  expect(toBase64Url(Uint8Array.of(0xfb, 0xff))).toBe("-_8");
});

test("padding, the other alphabet, spaces and what is not there in whole are refused", () => {
  for (const text of ["Zg==", "+/8", "Zm 9v", "Zm9v\n", "Zm9vY", "é"]) {
    expect(() => fromBase64Url(text)).toThrow(WireError);
  }
});
