// Looks at everything that reaches the server: whether a key was used for two things. Messages are sealed, so what was sealed
// in them is noted as they are made (bundle.ts puts `noteSealed` there); only what leaves a client counts, because what was
// computed and never sent has given nothing away.

import type { HttpRequest, HttpResponse } from "../../client/ports.ts";
import { sha256 } from "#crypto";
import {
  type Bytes,
  decodeAccountKeys,
  decodePreKeySignalMessage,
  decodeSendRequest,
  decodeSignalMessage,
  type SealedKind,
  toHex,
} from "#wire";
import type { Watch } from "./platform/surroundings.ts";
import type { Ledger } from "./ledger.ts";

interface Sealed {
  readonly kind: SealedKind;
  readonly content: Bytes;
}

const SEND = /^\/v1\/mailboxes\/[^/]+\/messages$/;
const GET_KEYS = /^\/v1\/keys\/[^/]+$/;

const sealed = new Map<string, Sealed>();

export function noteSealed(output: Bytes, input: Sealed): void {
  sealed.set(toHex(sha256(output)), { kind: input.kind, content: input.content.slice() });
}

export class WireWatch implements Watch {
  readonly #ledger: Ledger;
  /** By ratchet key and counter: what was encrypted under it. */
  readonly #messages = new Map<string, string>();
  readonly #oneTimeKeys = new Set<string>();
  /** Messages of the ratchet that were seen. */
  seen = 0;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
    sealed.clear();
  }

  request({ method, url, body }: HttpRequest): void {
    if (method !== "PUT" || !SEND.test(new URL(url).pathname) || !(body instanceof Uint8Array)) return;
    for (const { content } of decodeSendRequest(body).devices) this.#message(content);
  }

  answer({ method, url }: HttpRequest, { status, body }: HttpResponse): void {
    const { pathname } = new URL(url);
    if (status !== 200 || method !== "GET" || !GET_KEYS.test(pathname)) return;
    for (const { deviceId, oneTimePreKey } of decodeAccountKeys(body).devices) {
      if (oneTimePreKey === undefined) continue;
      const name = `${pathname} ${deviceId} ${oneTimePreKey.id}`;
      if (this.#oneTimeKeys.has(name)) this.#ledger.complain("reused-key", "a one-time prekey was given out twice");
      this.#oneTimeKeys.add(name);
    }
  }

  /** A mailbox puts a message behind the others that was delivered too often in vain; a job is due that the queue did not finish. */
  statement(sql: string, [, , , parked]: readonly unknown[]): void {
    if (sql.startsWith("INSERT INTO attempts") && parked !== "") this.#ledger.excuseOrder();
    if (sql.startsWith("UPDATE jobs SET due")) this.#ledger.excuseGroupOrder();
  }

  #message(content: Bytes): void {
    const inner = sealed.get(toHex(sha256(content)));
    if (inner === undefined || (inner.kind !== "message" && inner.kind !== "prekey")) return;
    const bytes = inner.kind === "prekey" ? decodePreKeySignalMessage(inner.content).message : inner.content;
    const { ratchetKey, counter, ciphertext } = decodeSignalMessage(bytes);
    const name = `${toHex(ratchetKey)} ${counter}`;
    const fingerprint = toHex(sha256(ciphertext));
    const before = this.#messages.get(name);
    if (before !== undefined && before !== fingerprint)
      this.#ledger.complain("reused-key", `one message key encrypted two messages (${counter})`);
    this.#messages.set(name, fingerprint);
    this.seen++;
  }
}
