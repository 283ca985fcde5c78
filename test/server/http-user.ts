// Somebody who uses a running server over HTTP and a WebSocket, with the formats and identities of the real thing. What
// is sent is opaque to the server; here it is a text that the checker knows.

import { randomUUID } from "node:crypto";
import { systemRandom } from "#crypto";
import { answerChallenge, createPreKeySet } from "#identity";
import {
  ascii,
  type Bytes,
  copy,
  decodeServerFrame,
  encodeClientFrame,
  encodeCreateAccount,
  encodeSendRequest,
  type MessageId,
  parseMessageId,
  pathOf,
  SOCKET_PROTOCOL,
  type UserId,
} from "#wire";
import { Owner } from "../support/accounts.ts";
import { oneTimeKeys, preKeyInput } from "../support/prekeys.ts";

export interface Received {
  readonly messageId: MessageId;
  readonly text: string;
  readonly content: Bytes;
}

interface SendResult {
  readonly state: string;
  readonly delivered: number;
  readonly refused: readonly unknown[];
}

export class HttpUser {
  readonly owner: Owner;
  /** Changes when the server comes back elsewhere. */
  url: string;
  #token = "";

  constructor(url: string, seed: number) {
    this.url = url;
    this.owner = new Owner(seed, Math.floor(Date.now() / 1000));
  }

  get userId(): UserId {
    return this.owner.userId;
  }

  /** For what this class does not do. */
  get authorization(): string {
    return `Bearer ${this.#token}`;
  }

  async register(): Promise<void> {
    const { owner } = this;
    const nowSeconds = Math.floor(Date.now() / 1000);
    const set = createPreKeySet({ ...preKeyInput(owner.userId, owner.first, owner.random), nowSeconds }, owner.random);
    const [genesis = new Uint8Array(0)] = owner.entries;
    const preKeys = { set, oneTimePreKeys: oneTimeKeys([1, 2, 3], owner.random) };
    const body = encodeCreateAccount({ genesis, preKeys, username: undefined, invite: undefined });
    await this.#ask("POST", pathOf("createAccount"), { "content-type": "application/x-protobuf" }, body);
    await this.signIn();
  }

  async signIn(): Promise<void> {
    const { deviceId, identity } = this.owner.first;
    const json = { "content-type": "application/json" };
    const asked = { userId: this.userId, deviceId };
    const challenge = await this.#ask("POST", pathOf("createChallenge"), json, JSON.stringify(asked));
    const { nonce } = (await challenge.json()) as { nonce: string }; // the schema of the answer is the gateway's test
    const input = { origin: this.url, device: asked, nonce: copy(Buffer.from(nonce, "base64url")) };
    const signature = Buffer.from(answerChallenge(input, identity.privateKey, systemRandom)).toString("base64url");
    const answer = await this.#ask("POST", pathOf("createToken"), json, JSON.stringify({ ...asked, nonce, signature }));
    this.#token = ((await answer.json()) as { token: string }).token; // as above
  }

  /** Resolves when the server has promised to keep the message; rejects when it has not. A repeat has the same id. */
  async send(to: HttpUser, text: string, messageId: MessageId = parseMessageId(randomUUID())): Promise<void> {
    const { deviceId, registrationId } = to.owner.first;
    const request = { messageId, scope: "all", ephemeral: false, devices: [{ deviceId, registrationId, content: ascii(text) }] } as const;
    const headers = { authorization: `Bearer ${this.#token}`, "content-type": "application/x-protobuf" };
    await this.#ask("PUT", pathOf("sendMessages", { userId: to.userId }), headers, encodeSendRequest(request));
  }

  /** Resolves with the handle when the server has promised to deliver the message. A repeat has the same id. */
  async sendToMany(body: Bytes, messageId: MessageId): Promise<string> {
    const type = { "content-type": "application/octet-stream", "idempotency-key": messageId };
    const answer = await this.#ask("POST", pathOf("sendToMany"), { authorization: `Bearer ${this.#token}`, ...type }, body);
    return ((await answer.json()) as { handle: string }).handle; // as above
  }

  /** How a message to many went so far. */
  async sendResult(handle: string): Promise<SendResult> {
    const answer = await this.#ask("GET", pathOf("getSendResult", { handle }), { authorization: `Bearer ${this.#token}` });
    return (await answer.json()) as SendResult; // as above
  }

  /**
   * Reads until `signal` aborts or the socket closes. Each message is given to `take` before it is acknowledged, as a client
   * stores before it acknowledges. Resolves when the socket is closed.
   */
  async listen(take: (received: Received) => void, signal: AbortSignal, onEmpty: () => void = () => undefined): Promise<void> {
    const socket = new WebSocket(`${this.url.replace("http", "ws")}${pathOf("openSocket")}`, [SOCKET_PROTOCOL, this.#token]);
    socket.binaryType = "arraybuffer";
    await new Promise<void>((resolve) => {
      const close = (): void => socket.close();
      signal.addEventListener("abort", close, { once: true });
      socket.addEventListener("close", () => {
        signal.removeEventListener("abort", close);
        resolve();
      });
      socket.addEventListener("error", () => undefined);
      socket.addEventListener("message", ({ data }) => {
        if (!(data instanceof ArrayBuffer)) return;
        const { frame } = decodeServerFrame(new Uint8Array(data));
        if (frame.kind === "queue-empty") onEmpty();
        if (frame.kind !== "deliver") return;
        const { messageId, content } = frame.envelope;
        take({ messageId, text: Buffer.from(content).toString(), content });
        socket.send(encodeClientFrame({ frame: { kind: "ack", guids: [frame.guid] } }));
      });
    });
  }

  async #ask(method: string, path: string, headers: Readonly<Record<string, string>>, body?: string | Bytes): Promise<Response> {
    const sent = body === undefined ? {} : { body };
    const response = await fetch(`${this.url}${path}`, { method, headers, ...sent, signal: AbortSignal.timeout(10_000) });
    if (!response.ok) throw new Error(`${method} ${path.split("/")[2] ?? ""}: ${response.status} ${await response.text()}`);
    return response;
  }
}
