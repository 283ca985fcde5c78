import { expect, test } from "vitest";
import { Secret, unwrapSecret, wrapSecret } from "#crypto";
import { ascii, toHex } from "#wire";

const FOR = ascii("Edgewise/test/v1");
const KEY = new Uint8Array(32).fill(7);

test("a wrapped secret comes back, and its wrapping key cannot be read", async () => {
  const wrapped = await wrapSecret(new Secret(KEY.slice()), FOR);
  expect(toHex((await unwrapSecret(wrapped, FOR)).expose())).toBe(toHex(KEY));
  expect(wrapped.wrappingKey.extractable).toBe(false);
  expect(toHex(new Uint8Array(wrapped.sealed))).not.toContain(toHex(KEY));
});

test("for another purpose, under another key, or with a bit turned it does not", async () => {
  const [wrapped, other] = [await wrapSecret(new Secret(KEY.slice()), FOR), await wrapSecret(new Secret(KEY.slice()), FOR)];
  await expect(unwrapSecret(wrapped, ascii("Edgewise/other/v1"))).rejects.toMatchObject({ code: "bad-tag" });
  await expect(unwrapSecret({ ...wrapped, wrappingKey: other.wrappingKey }, FOR)).rejects.toMatchObject({ code: "bad-tag" });
  const damaged = new Uint8Array(wrapped.sealed.slice(0));
  damaged[3] = (damaged[3] ?? 0) ^ 1;
  await expect(unwrapSecret({ ...wrapped, sealed: damaged.buffer }, FOR)).rejects.toMatchObject({ code: "bad-tag" });
});
