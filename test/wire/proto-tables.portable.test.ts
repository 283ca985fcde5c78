import type { DescMessage } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { bool, exactly, list, message, oneof, required, uint32 } from "#wire";
import { CONTENT, CONTENT_COPY } from "../../wire/content.ts";
import { ENVELOPE, SEND_REQUEST } from "../../wire/envelope.ts";
import { CLIENT_FRAME, SERVER_FRAME } from "../../wire/frames.ts";
import * as content from "../../wire/gen/content_pb.js";
import * as envelope from "../../wire/gen/envelope_pb.js";
import * as frames from "../../wire/gen/frames_pb.js";
import { NOTICE } from "../../wire/notice.ts";
import { differences } from "../support/proto-table.ts";

const ROOTS = [
  [ENVELOPE, envelope.EnvelopeSchema],
  [SEND_REQUEST, envelope.SendRequestSchema],
  [NOTICE, envelope.NoticeSchema],
  [SERVER_FRAME, frames.ServerFrameSchema],
  [CLIENT_FRAME, frames.ClientFrameSchema],
  [CONTENT_COPY, content.ContentCopySchema],
  [CONTENT, content.ContentSchema],
] as const;

test("our tables and the .proto files say the same, and no message of theirs is left out", () => {
  const reached = new Set<string>();
  for (const [kind, schema] of ROOTS) expect(differences(kind, schema, reached)).toEqual([]);
  const all = [envelope.file_envelope, frames.file_frames, content.file_content].flatMap((file) => file.messages.flatMap(withNested));
  expect([...reached].sort()).toEqual(all.sort());
});

test("the number of `expires` is reserved", () => {
  const [reserved] = content.ContentSchema.proto.reservedRange;
  expect(reserved).toMatchObject({ start: 6, end: 7 });
  expect(content.ContentSchema.proto.reservedName).toEqual(["expires"]);
});

test("oneofs have the highest numbers, so that implementations which write them last keep the order", () => {
  const all = [envelope.file_envelope, frames.file_frames, content.file_content].flatMap((file) => file.messages);
  for (const schema of [...all, ...all.flatMap((outer) => outer.nestedMessages)]) {
    const plain = schema.fields.filter((field) => field.oneof === undefined).map((field) => field.number);
    const inOneof = schema.fields.filter((field) => field.oneof !== undefined).map((field) => field.number);
    expect(Math.max(0, ...plain)).toBeLessThan(Math.min(128, ...inOneof));
  }
});

test("a table that differs in a number, a type, a list, a oneof, an enum or a field is found out", () => {
  const head = content.LogHeadSchema;
  const right = message<{ length: number; hash: Uint8Array<ArrayBuffer> }>("edgewise.LogHead", {
    length: required(1, uint32),
    hash: required(2, exactly(32)),
  });
  expect(differences(right, head)).toEqual([]);
  const wrong = [
    message<{ length: number }>("edgewise.LogHead", { length: required(1, uint32) }),
    message<{ length: number; hash: number }>("edgewise.LogHead", { length: required(1, uint32), hash: required(2, uint32) }),
    message<{ length: readonly number[]; hash: number }>("edgewise.LogHead", { length: list(1, 2, uint32), hash: required(2, uint32) }),
    message<{ length: number; hash: Uint8Array<ArrayBuffer>; more: boolean }>("edgewise.LogHead", {
      length: required(1, uint32),
      hash: required(2, exactly(32)),
      more: required(3, bool),
    }),
    message<{ length: number; hash: Uint8Array<ArrayBuffer> }>("edgewise.Head", {
      length: required(1, uint32),
      hash: required(2, exactly(32)),
    }),
  ];
  for (const table of wrong) expect(differences(table, head).length).toBeGreaterThan(0);
  const deliver = message<{ kind: "deliver" }>("edgewise.Deliver", { kind: "deliver" });
  const half = message<{ frame: { kind: "deliver" } }>("edgewise.ServerFrame", {
    frame: oneof<{ kind: "deliver" }>({ deliver: [1, deliver] }),
  });
  expect(differences(half, frames.ServerFrameSchema).join()).toContain("oneof");
});

function withNested(schema: DescMessage): string[] {
  return [schema.typeName, ...schema.nestedMessages.flatMap(withNested)];
}
