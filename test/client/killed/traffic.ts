// Everything that was sealed and sent between people whose keys the test knows. One message key is for one message: each ratchet
// key counts from nothing, one by one, and once there is a new one, the old one has ended.

import { type KeyPair, type PublicKey, sha256 } from "#crypto";
import { openSealed } from "#protocol";
import { type Bytes, decodePreKeySignalMessage, decodeSendRequest, decodeSignalMessage, pathOf, toHex, type UserId } from "#wire";
import type { Asked } from "./wire.ts";

export interface Reader {
  readonly userId: UserId;
  readonly identity: KeyPair;
  readonly trustRoots: readonly PublicKey[];
}

/** What stands under each counter, for one ratchet key of one sender. */
interface SentChain {
  readonly ratchetKey: string;
  readonly ciphertexts: string[];
}

export class Traffic {
  readonly problems: string[] = [];
  /** Messages with a counter of their own, and those that came again. */
  sent = 0;
  repeated = 0;
  readonly #readers: readonly Reader[];
  readonly #chains = new Map<UserId, SentChain[]>();

  constructor(readers: readonly Reader[]) {
    this.#readers = readers;
  }

  see({ method, path, body }: Asked): void {
    const reader = this.#readers.find(({ userId }) => path === pathOf("sendMessages", { userId }));
    if (method !== "PUT" || reader === undefined) return;
    for (const { content } of decodeSendRequest(body).devices) this.#open(reader, content);
  }

  /** The ratchet keys of somebody, oldest first. */
  chainsOf(sender: UserId): readonly SentChain[] {
    return this.#chains.get(sender) ?? [];
  }

  #open({ identity, trustRoots }: Reader, bytes: Bytes): void {
    const opened = openSealed({ identity, bytes, trustRoots, nowMilliseconds: Date.now() });
    if (opened.kind === "refused") return this.#complain(`something was sent that its recipient cannot open: ${opened.code}`);
    const { contentKind, content, sender } = opened;
    if (contentKind !== "message" && contentKind !== "prekey") return this.#complain("somebody reports what they cannot read");
    const message = decodeSignalMessage(contentKind === "prekey" ? decodePreKeySignalMessage(content).message : content);
    this.#count(sender.userId, toHex(message.ratchetKey), message.counter, toHex(sha256(message.ciphertext)));
  }

  #count(sender: UserId, ratchetKey: string, counter: number, ciphertext: string): void {
    const chains = this.#chains.get(sender) ?? [];
    this.#chains.set(sender, chains);
    const known = chains.find((chain) => chain.ratchetKey === ratchetKey);
    const before = known?.ciphertexts[counter];
    if (before !== undefined) {
      this.repeated++;
      if (before !== ciphertext) this.#complain(`one message key encrypted two messages (${counter})`);
      return;
    }
    this.sent++;
    if (known !== undefined && known !== chains.at(-1)) this.#complain("a ratchet key is used again after a newer one");
    const chain = known ?? { ratchetKey, ciphertexts: [] };
    if (known === undefined) chains.push(chain);
    if (counter !== chain.ciphertexts.length) this.#complain(`a chain goes from ${chain.ciphertexts.length} to ${counter}`);
    chain.ciphertexts[counter] = ciphertext;
  }

  #complain(problem: string): void {
    this.problems.push(problem);
  }
}
