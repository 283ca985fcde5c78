// What one client sends, written down on its way out; and what somebody finds in it who was given the identity key of a device
// that it is for: the message inside the seal, as it is encrypted for the group.

import type { HttpRequest, HttpResponse, Network } from "#client";
import { parsePublicKey } from "#crypto";
import { openFromGroup, openSealed, type SenderKeyRecord } from "#protocol";
import { type Bytes, decodeGroupAppend, type GroupAppend, receivedMessage, serviceIdOfDevice, splitMultiRecipient } from "#wire";
import { pairOf } from "../../../client/core.ts";
import { OWN, SENDER_KEYS } from "../../../client/records/tables.ts";
import { platformNetwork } from "../../../client/transport/platform.ts";
import { found } from "../../support/accounts.ts";
import { type Person, withStore } from "./people.ts";

export class Wiretap implements Network {
  /** Bodies of messages to many, in the order in which they went out. */
  readonly toMany: Bytes[] = [];
  /** How many messages to one person there were. */
  toOne = 0;
  /** Entries for logs of groups. */
  readonly appends: GroupAppend[] = [];

  async request(request: HttpRequest): Promise<HttpResponse> {
    const { pathname } = new URL(request.url);
    if (request.method === "POST" && request.body instanceof Uint8Array) {
      if (pathname === "/v1/messages") this.toMany.push(request.body);
      if (pathname.endsWith("/messages") && pathname.startsWith("/v1/mailboxes/")) this.toOne++;
      if (pathname.startsWith("/v1/groups/")) this.appends.push(decodeGroupAppend(request.body));
    }
    return await platformNetwork.request(request);
  }

  openSocket: Network["openSocket"] = platformNetwork.openSocket;
  onWake: Network["onWake"] = platformNetwork.onWake;
}

/** The message under the seal of one of its recipients. */
export async function underSeal(body: Bytes, recipient: Person): Promise<Bytes> {
  const own = found(await withStore(recipient, (vault) => vault.read((records) => records.get(OWN))));
  const message = splitMultiRecipient(body);
  const part = found(message.recipients.find(({ serviceId }) => serviceId === serviceIdOfDevice(own)));
  const opened = openSealed({
    identity: pairOf(own.identity),
    bytes: receivedMessage(message, part),
    trustRoots: own.trustRoots.map(parsePublicKey),
    nowMilliseconds: Date.now(),
  });
  if (opened.kind === "refused") throw new Error(opened.code);
  return opened.content;
}

/** A copy of every sender key of others that a device has. */
export async function senderKeysOf(person: Person): Promise<readonly SenderKeyRecord[]> {
  return await withStore(person, (vault) => vault.read((records) => records.all(SENDER_KEYS)));
}

export function opensAny(keys: readonly SenderKeyRecord[], message: Bytes): boolean {
  return keys.some((key) => openFromGroup(key, message).kind !== "refused");
}
