// Where devices meet to be linked, as the gateway reaches it: by an id that goes no further than into a keyed name, and by two
// calls that are spelled out here. The library turns a call into a request of its own making: nothing of the client's is in it but
// what these methods are given.

import { proxyDurable } from "itty-durable/proxy-durable.js";
import { base64url } from "jose";
import { sha256 } from "#crypto";
import type { LinkBlob, Put, RendezvousApi, ServerNames, Taken } from "#durable-objects";
import { type Bytes, copy, type RendezvousId, toHex } from "#wire";
import { Objects } from "../objects.ts";

export class Meetings {
  readonly #objects: Objects<RendezvousApi>;
  readonly #names: ServerNames;

  constructor(namespace: DurableObjectNamespace, names: ServerNames) {
    this.#objects = new Objects(namespace, byCallsInRequests);
    this.#names = names;
  }

  /** May run twice: a repeat of the same bytes is answered alike. @throws Unavailable */
  async put(rendezvousId: RendezvousId, blob: LinkBlob, content: Bytes): Promise<Put> {
    // Arguments travel as JSON in a header.
    const written = { blob, content: base64url.encode(content), hash: toHex(sha256(content)) };
    return await this.#objects.retried(this.#names.rendezvous(rendezvousId), async (rendezvous) => await rendezvous.put(written));
  }

  /** What was handed out is gone, also when the answer gets lost. @throws Unavailable */
  async take(rendezvousId: RendezvousId, blob: LinkBlob): Promise<Exclude<Taken, { kind: "blob" }> | { kind: "blob"; content: Bytes }> {
    const taken = await this.#objects.once(this.#names.rendezvous(rendezvousId), async (rendezvous) => await rendezvous.take(blob));
    return taken.kind === "blob" ? { kind: "blob", content: copy(base64url.decode(taken.content)) } : taken;
  }
}

/** The id and not the name: the library takes 64 hexadecimal digits for the id of an object. */
function byCallsInRequests(namespace: DurableObjectNamespace, name: string): RendezvousApi {
  // The library's proxy has no types: every property is a call of the method with that name.
  return proxyDurable(namespace, { parse: true }).get(namespace.idFromName(name)) as RendezvousApi;
}
