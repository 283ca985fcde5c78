// Takes a message in: for every device that it names, or for none.

import { type Bytes, type DeviceId, encodeEnvelope, type Envelope } from "#wire";
import type { Accept, AcceptResult } from "./api.ts";
import { compareDevices, fitsQuota } from "./core.ts";
import type { MessageQueue } from "./queue.ts";
import type { DeviceRegistry } from "./registry.ts";

/** A copy on its way to one device. */
export interface Copy {
  readonly deviceId: DeviceId;
  readonly envelope: Bytes;
}

export type Checked = Exclude<AcceptResult, { readonly kind: "accepted" }> | { readonly kind: "copies"; readonly copies: readonly Copy[] };

/** Whether the send addresses whom it must, and which copies are not queued yet. Writes nothing. */
export function checkAccept({ messageId, scope, ephemeral, devices }: Accept, registry: DeviceRegistry, queue: MessageQueue): Checked {
  const changes = compareDevices(registry.active, devices, scope);
  if (changes !== undefined) return { kind: "devices-changed", ...changes };
  // A device that is named twice gets the first copy.
  const distinct = devices.filter(({ deviceId }, at) => devices.findIndex((device) => device.deviceId === deviceId) === at);
  const copies = distinct.map(({ deviceId, content }) => ({
    deviceId,
    envelope: encodeEnvelope({ messageId, type: "sealed", content, ephemeral }),
  }));
  if (ephemeral) return { kind: "copies", copies };
  const fresh = copies.filter(({ deviceId }) => !queue.has(deviceId, messageId));
  const hasRoom = fresh.every(({ deviceId, envelope }) => fitsQuota(queue.size(deviceId), envelope.length));
  return hasRoom ? { kind: "copies", copies: fresh } : { kind: "mailbox-full" };
}

export function noticeEnvelope(messageId: Envelope["messageId"], content: Bytes, kept: "queued" | "ephemeral"): Bytes {
  return encodeEnvelope({ messageId, type: "notice", content, ephemeral: kept === "ephemeral" });
}
