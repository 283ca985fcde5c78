import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type Content,
  concat,
  decodeContent,
  encodeContent,
  encodeContentCopy,
  fromHex,
  MAX_ATTACHMENTS,
  MAX_CONTENT_BYTES,
  MAX_FILE_NAME_BYTES,
  MAX_MIME_BYTES,
  MAX_TEXT_BYTES,
  MAX_THUMBHASH_BYTES,
  type MediaPointer,
  parseMediaId,
  UsageError,
} from "#wire";
import { content, outcome } from "../support/wire.ts";

const [SOME] = fc.sample(content, { seed: 71, numRuns: 1 });
if (SOME === undefined) throw new Error("no sample");
const BASE: Content = { ...SOME, position: undefined, body: { kind: "nothing" } };
const HASH = new Uint8Array(32).fill(1);

test("the first content of a sequence has no predecessor, and every other one has", () => {
  const at = (counter: number, previousHash: typeof HASH | undefined): Content => ({ ...BASE, position: { counter, previousHash } });
  expect(decodeContent(encodeContent(at(1, undefined))).position).toEqual({ counter: 1, previousHash: undefined });
  expect(decodeContent(encodeContent(at(2, HASH))).position).toEqual({ counter: 2, previousHash: HASH });
  expect(() => encodeContent(at(1, HASH))).toThrow(UsageError);
  expect(() => encodeContent(at(2, undefined))).toThrow(UsageError);
});

test("a content that contradicts itself about its place is refused", () => {
  const bytes = encodeContent({ ...BASE, position: { counter: 1, previousHash: undefined } });
  const position = concat(fromHex("1a020801"));
  const at = findAfter(bytes, position);
  const second = bytes.slice();
  second[at - 1] = 2;
  expect(outcome(() => decodeContent(bytes))).toBe("accepted");
  expect(outcome(() => decodeContent(second))).toBe("bad-value");
});

test("a kind of content that is newer than this program is refused as such, whatever it holds", () => {
  const bytes = encodeContent(BASE);
  // `nothing` is field 30, without a byte of its own.
  expect(bytes.slice(-3)).toEqual(fromHex("f20100"));
  for (const newer of ["820200", "8a0200", "fa0700", "fa070a74686520667574757265"]) {
    expect(outcome(() => decodeContent(concat(bytes.slice(0, -3), fromHex(newer))))).toBe("unknown-critical");
  }
  expect(outcome(() => decodeContent(bytes.slice(0, -3)))).toBe("missing-field");
  expect(outcome(() => decodeContent(concat(bytes, fromHex("800801"))))).toBe("accepted");
});

test("the field that is reserved for expiry is refused until somebody builds it", () => {
  const bytes = encodeContent({ ...BASE, sentAt: 1 });
  const at = findAfter(bytes, fromHex("2801"));
  expect(outcome(() => decodeContent(concat(bytes.slice(0, at), fromHex("303c"), bytes.slice(at))))).toBe("unknown-critical");
});

test("the largest text that may be sent still fits into the sync copy of it, and into a content copy", () => {
  const pointer: MediaPointer = {
    mediaId: parseMediaId("ff".repeat(32)),
    accessSecret: HASH,
    key: HASH,
    digest: HASH,
    size: Number.MAX_SAFE_INTEGER,
    mime: "m".repeat(MAX_MIME_BYTES),
    name: "n".repeat(MAX_FILE_NAME_BYTES),
    width: 0xffff_ffff,
    height: 0xffff_ffff,
    thumbhash: new Uint8Array(MAX_THUMBHASH_BYTES),
    contentDigest: undefined,
  };
  const attachments = Array.from({ length: MAX_ATTACHMENTS }, () => pointer);
  const largest = encodeContent({ ...BASE, body: { kind: "text", text: "t".repeat(MAX_TEXT_BYTES), replyTo: undefined, attachments } });
  const synced = encodeContent({ ...BASE, body: { kind: "sync", sync: { kind: "sent", content: largest } } });
  expect(synced.length).toBeLessThan(MAX_CONTENT_BYTES);
  expect(outcome(() => encodeContentCopy({ recipientDevice: undefined, content: synced }))).toBe("accepted");
  const tooLong = { kind: "text", text: "t".repeat(MAX_TEXT_BYTES + 1), replyTo: undefined, attachments: [] } as const;
  expect(() => encodeContent({ ...BASE, body: tooLong })).toThrow(UsageError);
});

function findAfter(bytes: Uint8Array, part: Uint8Array): number {
  for (let at = 0; at + part.length <= bytes.length; at++) {
    if (part.every((byte, index) => bytes[at + index] === byte)) return at + part.length;
  }
  throw new Error("not found");
}
