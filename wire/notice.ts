// Notice: a hint from the server to the devices of one account. Nothing in it is believed; each is a reason to fetch
// something that can be verified.

import type { Bytes } from "./bytes.ts";
import type { DeviceId } from "./ids.ts";
import { deviceId, exactly, text } from "./kinds.ts";
import { MAX_NAME_BYTES } from "./limits.ts";
import { type Extensible, message, type MessageKind, oneof, required, strictCodec, withDefault } from "./strict.ts";

/** The account log has grown. */
export interface LogChanged extends Extensible {
  readonly kind: "log-changed";
}

/** A new device asks to be linked. Its name is what it says of itself. */
export interface LinkRequested extends Extensible {
  readonly kind: "link-requested";
  /** 32 bytes. */
  readonly rendezvousId: Bytes;
  readonly deviceName: string;
}

/** A device was not seen for so long that its mailbox was given up. */
export interface DeviceDropped extends Extensible {
  readonly kind: "device-dropped";
  readonly deviceId: DeviceId;
}

export interface Notice extends Extensible {
  readonly notice: LogChanged | LinkRequested | DeviceDropped;
}

const LOG_CHANGED: MessageKind<LogChanged> = message("edgewise.Notice.LogChanged", { kind: "log-changed" });

const LINK_REQUESTED: MessageKind<LinkRequested> = message("edgewise.Notice.LinkRequested", {
  kind: "link-requested",
  rendezvousId: required(1, exactly(32)),
  deviceName: withDefault(2, text(MAX_NAME_BYTES), ""),
});

const DEVICE_DROPPED: MessageKind<DeviceDropped> = message("edgewise.Notice.DeviceDropped", {
  kind: "device-dropped",
  deviceId: required(1, deviceId),
});

export const NOTICE: MessageKind<Notice> = message("edgewise.Notice", {
  notice: oneof<Notice["notice"]>({
    "log-changed": [1, LOG_CHANGED],
    "link-requested": [2, LINK_REQUESTED],
    "device-dropped": [3, DEVICE_DROPPED],
  }),
});

const MAX_NOTICE_BYTES = 1024;
const notice = strictCodec(NOTICE, MAX_NOTICE_BYTES);

export const encodeNotice: (value: Notice) => Bytes = notice.encode;
/** @throws WireError */
export const decodeNotice: (bytes: Bytes) => Notice = notice.decode;
