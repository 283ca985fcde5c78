// Somebody who uses the server over its wire and nothing else, for tests of the platform: formats and identities are the real
// ones, and what is sent is a text.

import type { Bytes, MessageId, UserId } from "#wire";
import {
  ascii,
  copy,
  decodeServerFrame,
  encodeClientFrame,
  encodeCreateAccount,
  encodeSendRequest,
  parseMessageId,
  pathOf,
  SOCKET_PROTOCOL,
} from "#wire";
import { answerChallenge, createPreKeySet } from "#identity";
import { Owner } from "../../support/accounts.ts";
import { oneTimeKeys, preKeyInput } from "../../support/prekeys.ts";
import type { HttpResponse, Network, Socket } from "../../../client/ports.ts";
import type { VirtualClock } from "./virtual-clock.ts";

const URL = "http://server.test";

export interface Shown {
  readonly messageId: MessageId;
  readonly text: string;
}

export class WireUser {
  readonly owner: Owner;
  readonly shown: Shown[] = [];
  /** How often the server said that nothing waits. */
  empty = 0;
  readonly #network: Network;
  readonly #clock: VirtualClock;
  #token = "";

  constructor(network: Network, clock: VirtualClock, seed: number) {
    this.#network = network;
    this.#clock = clock;
    this.owner = new Owner(seed, this.#nowSeconds);
  }

  /** The same person with the same keys, as of now, in another run. */
  moved(network: Network, clock: VirtualClock): WireUser {
    const copy = new WireUser(network, clock, 0);
    Object.assign(copy, { owner: this.owner });
    copy.#token = this.#token;
    return copy;
  }

  get userId(): UserId {
    return this.owner.userId;
  }

  async register(): Promise<void> {
    const { owner } = this;
    const set = createPreKeySet({ ...preKeyInput(owner.userId, owner.first, owner.random), nowSeconds: this.#nowSeconds }, owner.random);
    const [genesis = new Uint8Array()] = owner.entries;
    const preKeys = { set, oneTimePreKeys: oneTimeKeys([1, 2, 3], owner.random) };
    await this.#ask("POST", pathOf("createAccount"), encodeCreateAccount({ genesis, preKeys, username: undefined, invite: undefined }));
  }

  async signIn(): Promise<void> {
    const { deviceId, identity } = this.owner.first;
    const asked = { userId: this.userId, deviceId };
    const { nonce } = jsonOf(await this.#ask("POST", pathOf("createChallenge"), JSON.stringify(asked))) as { nonce: string }; // its schema is the gateway's test
    const input = { origin: URL, device: asked, nonce: copy(Buffer.from(nonce, "base64url")) };
    const signature = Buffer.from(answerChallenge(input, identity.privateKey, this.owner.random)).toString("base64url");
    const answer = await this.#ask("POST", pathOf("createToken"), JSON.stringify({ ...asked, nonce, signature }));
    this.#token = (jsonOf(answer) as { token: string }).token; // as above
  }

  newMessageId(): MessageId {
    return newMessageId(this.owner.random);
  }

  /** Resolves when the server has promised to keep the message. A repeat has the same id. */
  async send(to: WireUser, text: string, messageId: MessageId = this.newMessageId()): Promise<MessageId> {
    const { deviceId, registrationId } = to.owner.first;
    const request = { messageId, scope: "all", ephemeral: false, devices: [{ deviceId, registrationId, content: ascii(text) }] } as const;
    await this.#ask("PUT", pathOf("sendMessages", { userId: to.userId }), encodeSendRequest(request));
    return messageId;
  }

  /** Shows what comes, once, and acknowledges it, until the socket closes. */
  listen(onClosed: (code: number) => void = () => undefined): Socket {
    const socket = this.#network.openSocket(
      { url: `${URL.replace("http", "ws")}${pathOf("openSocket")}`, protocols: [SOCKET_PROTOCOL, this.#token] },
      {
        opened: () => undefined,
        text: () => undefined,
        binary: (data) => this.#take(data, socket),
        closed: onClosed,
      },
    );
    return socket;
  }

  #take(data: Bytes, socket: Socket): void {
    const { frame } = decodeServerFrame(data);
    if (frame.kind === "queue-empty") this.empty++;
    if (frame.kind !== "deliver") return;
    const { messageId, content } = frame.envelope;
    if (!this.shown.some((one) => one.messageId === messageId)) this.shown.push({ messageId, text: Buffer.from(content).toString() });
    socket.send(encodeClientFrame({ frame: { kind: "ack", guids: [frame.guid] } }));
  }

  async #ask(method: string, path: string, body: string | Bytes): Promise<HttpResponse> {
    const type = typeof body === "string" ? "application/json" : "application/x-protobuf";
    const headers = { "content-type": type, ...(this.#token === "" ? {} : { authorization: `Bearer ${this.#token}` }) };
    const response = await this.#network.request({ method, url: `${URL}${path}`, headers, body, signal: new AbortController().signal });
    if (response.status >= 300) throw new Error(`${method} ${path.split("/")[2] ?? ""}: ${response.status} ${textOf(response)}`);
    return response;
  }

  get #nowSeconds(): number {
    return Math.floor(this.#clock.nowMilliseconds() / 1000);
  }
}

function newMessageId(random: (length: number) => Bytes): MessageId {
  const hex = Buffer.from(random(16)).toString("hex");
  return parseMessageId(`${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`);
}

function textOf({ body }: HttpResponse): string {
  return Buffer.from(body).toString();
}

function jsonOf(response: HttpResponse): unknown {
  return JSON.parse(textOf(response));
}
