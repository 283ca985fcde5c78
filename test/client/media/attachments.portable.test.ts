import { expect, test } from "vitest";
import { MAX_FILE_NAME_BYTES, type MediaPointer, parseMediaId, toUtf8 } from "#wire";
import { safeMime, safeName, toRecord } from "../../../client/media/attachments.ts";

test.each([
  ["photo.jpg", "photo.jpg"],
  ["Über den Wolken 🌤.png", "Über den Wolken 🌤.png"],
  ["../../etc/passwd", "passwd"],
  ["C:\\Windows\\system32\\cmd.exe", "cmd.exe"],
  ["/", "file"],
  ["..", "file"],
  [".", "file"],
  ["", "file"],
  [".bashrc", "bashrc"],
  ["a\u0000b.txt", "ab.txt"],
  ["a\r\n\u001b[31mb.txt", "a[31mb.txt"],
  ["cod\u202etxt.exe", "codtxt.exe"],
  ["a\ud800b", "ab"],
  ["stream:hidden", "stream_hidden"],
  ['<"|?*>', "______"],
  ["CON", "file-CON"],
  ["nul.txt", "file-nul.txt"],
  ["trailing. . ", "trailing"],
])("a file that is called %j is kept as %j", (name, safe) => {
  expect(safeName(name)).toBe(safe);
  expect(safeName(safe)).toBe(safe);
});

test.each([
  "a".repeat(300) + ".tar",
  "🌤".repeat(100) + ".png",
  ".".repeat(300),
  "x." + "y".repeat(400),
  "con." + "z".repeat(251),
  "con." + "ß".repeat(125),
])("no name is longer than a file system takes", (name) => {
  const safe = safeName(name);
  expect(toUtf8(safe).length).toBeLessThanOrEqual(MAX_FILE_NAME_BYTES);
  expect(safe).not.toBe("");
  expect(safeName(safe)).toBe(safe);
});

test("a name that is cut keeps its ending", () => {
  expect(safeName(`${"a".repeat(300)}.pdf`)).toMatch(/^a{251}\.pdf$/);
});

test.each([
  ["image/jpeg", "image/jpeg"],
  ["Text/HTML", "text/html"],
  ["application/vnd.oasis.opendocument.text", "application/vnd.oasis.opendocument.text"],
  ["text/plain; charset=utf-8", "application/octet-stream"],
  ["", "application/octet-stream"],
  ["image/png\r\nset-cookie: a", "application/octet-stream"],
  [`a/${"b".repeat(200)}`, "application/octet-stream"],
])("a type that is said to be %j is kept as %j", (mime, safe) => {
  expect(safeMime(mime)).toBe(safe);
});

const POINTER: MediaPointer = {
  mediaId: parseMediaId("ab".repeat(32)),
  accessSecret: new Uint8Array(32).fill(1),
  key: new Uint8Array(32).fill(2),
  digest: new Uint8Array(32).fill(3),
  size: 5,
  mime: "image/png",
  name: "a.png",
  width: 3,
  height: 4,
  thumbhash: new Uint8Array(25),
  contentDigest: undefined,
};

test("a picture has measures that a screen could show, or none", () => {
  expect(toRecord(POINTER)).toMatchObject({ width: 3, height: 4 });
  for (const [width, height] of [
    [0, 4],
    [3, 0],
    [65_536, 1],
    [1, 0xffff_ffff],
  ] as const) {
    expect(toRecord({ ...POINTER, width, height })).toMatchObject({ width: 0, height: 0 });
  }
});

test("what is kept of a pointer outlives the bytes that it came in", () => {
  const key = new Uint8Array(32).fill(2);
  const record = toRecord({ ...POINTER, key });
  key.fill(9);
  expect(record.key).toEqual(new Uint8Array(32).fill(2));
});
