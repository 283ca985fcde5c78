// Notice: a hint from the server to the devices of one account. Nothing in it is believed; each is a reason to fetch
// something that can be verified.

import type { Bytes } from "./bytes.ts";
import type { DeviceId, RendezvousId } from "./ids.ts";
import { deviceId, exactly, rendezvousId } from "./kinds.ts";
import { LINK_COMMITMENT_BYTES } from "./link.ts";
import { type Extensible, message, type MessageKind, oneof, required, strictCodec } from "./strict.ts";

/** The account log has grown. */
export interface LogChanged extends Extensible {
  readonly kind: "log-changed";
}

/** A new device asks to be linked. Who it is, it tells the device that meets it. */
export interface LinkRequested extends Extensible {
  readonly kind: "link-requested";
  readonly rendezvousId: RendezvousId;
  /** 32 bytes: blob 1 must be the same. */
  readonly commitment: Bytes;
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
  rendezvousId: required(1, rendezvousId),
  commitment: required(2, exactly(LINK_COMMITMENT_BYTES)),
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
