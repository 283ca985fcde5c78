import { createRegistry, type DescMessage } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { bool, exactly, list, message, type MessageKind, oneof, required, uint32 } from "#wire";
import * as accountRequests from "../../wire/account-requests.ts";
import * as content from "../../wire/content.ts";
import * as envelope from "../../wire/envelope.ts";
import * as frames from "../../wire/frames.ts";
import { file_accounts } from "../../wire/gen/accounts_pb.js";
import { ContentSchema, file_content, LogHeadSchema } from "../../wire/gen/content_pb.js";
import { file_envelope } from "../../wire/gen/envelope_pb.js";
import { file_group_log } from "../../wire/gen/group_log_pb.js";
import { file_frames, ServerFrameSchema } from "../../wire/gen/frames_pb.js";
import { file_group_requests } from "../../wire/gen/group_requests_pb.js";
import { file_history } from "../../wire/gen/history_pb.js";
import { file_link } from "../../wire/gen/link_pb.js";
import { file_identity } from "../../wire/gen/identity_pb.js";
import * as groupLog from "../../wire/group-log.ts";
import * as groupRequests from "../../wire/group-requests.ts";
import * as history from "../../wire/history.ts";
import * as identityLog from "../../wire/identity-log.ts";
import * as identityPreKeys from "../../wire/identity-prekeys.ts";
import * as link from "../../wire/link.ts";
import * as notice from "../../wire/notice.ts";
import { differences } from "../support/proto-table.ts";

const FILES = [
  file_envelope,
  file_frames,
  file_content,
  file_identity,
  file_accounts,
  file_group_log,
  file_group_requests,
  file_history,
  file_link,
];
const REGISTRY = createRegistry(...FILES);
const MODULES = [accountRequests, content, envelope, frames, groupLog, groupRequests, history, identityLog, identityPreKeys, link, notice];
const TABLES = MODULES.flatMap((module) => Object.values<unknown>(module)).filter(isTable);

test("our tables and the .proto files say the same, and no message of theirs is left out", () => {
  const reached = new Set<string>();
  for (const table of TABLES) {
    const schema = REGISTRY.getMessage(table.proto);
    expect(schema === undefined ? `no ${table.proto}` : differences(table, schema, reached)).toEqual([]);
  }
  expect([...reached].sort()).toEqual(FILES.flatMap((file) => file.messages.flatMap(withNested)).sort());
});

test("the number of `expires` is reserved", () => {
  const [reserved] = ContentSchema.proto.reservedRange;
  expect(reserved).toMatchObject({ start: 6, end: 7 });
  expect(ContentSchema.proto.reservedName).toEqual(["expires"]);
});

test("oneofs have the highest numbers, so that implementations which write them last keep the order", () => {
  const all = FILES.flatMap((file) => file.messages);
  for (const schema of [...all, ...all.flatMap((outer) => outer.nestedMessages)]) {
    const plain = schema.fields.filter((field) => field.oneof === undefined).map((field) => field.number);
    const inOneof = schema.fields.filter((field) => field.oneof !== undefined).map((field) => field.number);
    expect(Math.max(0, ...plain)).toBeLessThan(Math.min(128, ...inOneof));
  }
});

test("a table that differs in a number, a type, a list, a oneof, an enum or a field is found out", () => {
  const head = LogHeadSchema;
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
  expect(differences(half, ServerFrameSchema).join()).toContain("oneof");
});

function isTable(value: unknown): value is MessageKind<unknown> {
  return typeof value === "object" && value !== null && "proto" in value && "fields" in value;
}

function withNested(schema: DescMessage): string[] {
  return [schema.typeName, ...schema.nestedMessages.flatMap(withNested)];
}
