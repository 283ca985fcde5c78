// Notice: a hint from the server to the devices of one account. Nothing in it is believed; each is a reason to fetch
// something that can be verified.

import { type Bounds, exactly, optional, REQUIRED, upTo } from "./bounds.ts";
import type { Bytes } from "./bytes.ts";
import { assertNever, WireError } from "./errors.ts";
import * as pb from "./gen/envelope_pb.js";
import { bytesOf, type Extensible, extensionsOf, make } from "./generated.ts";
import { type DeviceId, parseDeviceId } from "./ids.ts";
import { MAX_NAME_BYTES } from "./limits.ts";
import { strictCodec } from "./strict.ts";

export type NoticeBody =
  /** The account log has grown. */
  | ({ readonly kind: "log-changed" } & Extensible)
  /** A new device asks to be linked; its name is what it says of itself. `rendezvousId` is 32 bytes. */
  | ({ readonly kind: "link-requested"; readonly rendezvousId: Bytes; readonly deviceName: string } & Extensible)
  /** A device was not seen for so long that its mailbox was given up. */
  | ({ readonly kind: "device-dropped"; readonly deviceId: DeviceId } & Extensible);

export interface Notice extends Extensible {
  readonly body: NoticeBody;
}

const MAX_NOTICE_BYTES = 1024;

export const NOTICE_BOUNDS: Bounds = {
  "edgewise.Notice.notice": REQUIRED,
  "edgewise.Notice.LinkRequested.rendezvous_id": exactly(32),
  "edgewise.Notice.LinkRequested.device_name": optional(upTo(MAX_NAME_BYTES)),
  "edgewise.Notice.DeviceDropped.device_id": REQUIRED,
};

const codec = strictCodec(pb.NoticeSchema, NOTICE_BOUNDS, MAX_NOTICE_BYTES);

export function encodeNotice(notice: Notice): Bytes {
  return codec.encode(make(pb.NoticeSchema, notice, { notice: bodyToMessage(notice.body) }));
}

/** @throws WireError */
export function decodeNotice(bytes: Bytes): Notice {
  const message = codec.decode(bytes);
  return { body: bodyFromMessage(message.notice), ...extensionsOf(message) };
}

function bodyToMessage(body: NoticeBody): pb.Notice["notice"] {
  switch (body.kind) {
    case "log-changed":
      return { case: "logChanged", value: make(pb.Notice_LogChangedSchema, body, {}) };
    case "link-requested": {
      const { rendezvousId, deviceName } = body;
      return { case: "linkRequested", value: make(pb.Notice_LinkRequestedSchema, body, { rendezvousId, deviceName }) };
    }
    case "device-dropped":
      return { case: "deviceDropped", value: make(pb.Notice_DeviceDroppedSchema, body, { deviceId: body.deviceId }) };
    default:
      return assertNever(body);
  }
}

function bodyFromMessage(body: pb.Notice["notice"]): NoticeBody {
  switch (body.case) {
    case "logChanged":
      return { kind: "log-changed", ...extensionsOf(body.value) };
    case "linkRequested": {
      const { rendezvousId, deviceName } = body.value;
      return { kind: "link-requested", rendezvousId: bytesOf(rendezvousId), deviceName, ...extensionsOf(body.value) };
    }
    case "deviceDropped":
      return { kind: "device-dropped", deviceId: parseDeviceId(body.value.deviceId), ...extensionsOf(body.value) };
    case undefined:
      throw new WireError("missing-field");
    default:
      return assertNever(body);
  }
}
