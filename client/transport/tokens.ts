// The device's bearer token: fetched when it is needed, one at a time however many wait, kept until shortly before it
// expires. The device signs its own origin and a nonce, under a label; what the server sends is never signed bare.

import { type Bytes, type DeviceAddress, WireError } from "#wire";
import { ClientError } from "../errors.ts";
import type { Clock } from "../ports.ts";
import { fromBase64Url, toBase64Url } from "./base64.ts";
import { errorOf, type Exchange, parseJson, Refusal } from "./exchange.ts";

const EARLY_MILLISECONDS = 120_000;
const NONCE_BYTES = 32;

export interface Signer {
  readonly address: DeviceAddress;
  answer(nonce: Bytes): Bytes;
}

export interface Token {
  readonly token: string;
  readonly untilMilliseconds: number;
}

/** Where a token outlives the program: programs that run for one command each would otherwise sign in each time. */
export interface TokenPlace {
  load(): Promise<Token | undefined>;
  save(token: Token): Promise<void>;
}

export interface TokenParts {
  readonly exchange: Exchange;
  readonly clock: Clock;
  readonly signer: () => Signer;
  readonly place: TokenPlace;
}

export class Tokens {
  readonly #exchange: Exchange;
  readonly #clock: Clock;
  readonly #signer: () => Signer;
  readonly #place: TokenPlace;
  #current: Token | undefined;
  #fetching: Promise<string> | undefined;

  constructor({ exchange, clock, signer, place }: TokenParts) {
    this.#exchange = exchange;
    this.#clock = clock;
    this.#signer = signer;
    this.#place = place;
  }

  /** @throws ClientError `device-removed` when the server does not know the device, `own-account-deleted`; `offline`… */
  async get(refused?: string): Promise<string> {
    const kept = this.#current ?? (await this.#place.load());
    // Somebody may have been faster.
    const current = (this.#current ??= kept);
    if (current !== undefined && current.token !== refused && this.#clock.nowMilliseconds() < current.untilMilliseconds) {
      return current.token;
    }
    this.#fetching ??= this.#fetch().finally(() => {
      this.#fetching = undefined;
    });
    return await this.#fetching;
  }

  async #fetch(): Promise<string> {
    const signer = this.#signer();
    const device = { userId: signer.address.userId, deviceId: signer.address.deviceId };
    try {
      const challenge = parseJson(await this.#exchange.ask({ operation: "createChallenge", body: device }));
      const nonce = fromBase64Url(textOf(challenge["nonce"]));
      if (nonce.length !== NONCE_BYTES) throw new ClientError("server-failed");
      const body = { ...device, nonce: toBase64Url(nonce), signature: toBase64Url(signer.answer(nonce)) };
      const answer = parseJson(await this.#exchange.ask({ operation: "createToken", body }));
      const token = textOf(answer["token"]);
      if (!/^[\w.-]+$/.test(token)) throw new ClientError("server-failed");
      const lifetime = Math.max(0, Math.min(3600, Number(answer["lifetimeSeconds"]) || 0)) * 1000;
      const untilMilliseconds = this.#clock.nowMilliseconds() + Math.max(lifetime - EARLY_MILLISECONDS, lifetime / 2);
      this.#current = { token, untilMilliseconds };
      await this.#place.save(this.#current);
      return token;
    } catch (error) {
      if (error instanceof Refusal) throw errorOf(error, { "account-deleted": "own-account-deleted" });
      if (error instanceof WireError) throw new ClientError("server-failed", { cause: error });
      throw error;
    }
  }
}

function textOf(value: unknown): string {
  if (typeof value !== "string") throw new ClientError("server-failed");
  return value;
}
