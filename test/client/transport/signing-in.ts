// A device that signs in: the server's part of it, as answers, and a signer whose signatures the test can tell.

import { parseDeviceId, userIdFromDigest } from "#wire";
import { exchange } from "../../../client/transport/exchange.ts";
import { toBase64Url } from "../../../client/transport/base64.ts";
import { type Signer, type Token, Tokens } from "../../../client/transport/tokens.ts";
import type { HttpRequest, HttpResponse } from "../../../client/ports.ts";
import { type Answer, HandClock, HandNetwork, json } from "./surroundings.ts";

export const SERVER = "https://chat.example.org";
export const LIFETIME_SECONDS = 3600;
export const NONCE: Uint8Array<ArrayBuffer> = new Uint8Array(32).fill(7);

export const signer: Signer = {
  address: { userId: userIdFromDigest(new Uint8Array(32).fill(1)), deviceId: parseDeviceId(1) },
  answer: (nonce) => Uint8Array.from([...nonce, 1]),
};

export interface Device {
  readonly clock: HandClock;
  readonly network: HandNetwork;
  readonly tokens: Tokens;
  /** What was kept, oldest first. */
  readonly kept: Token[];
  /** Tokens that were given out. */
  readonly given: () => number;
}

/** `others` answers what is not about tokens. The tokens are `token-1`, `token-2`… */
export function device(
  others: Answer = () => json(404, { code: "not-found" }),
  load: () => Promise<Token | undefined> = async () => undefined,
): Device {
  const clock = new HandClock();
  let given = 0;
  const network = new HandNetwork((request) => signIn(request, () => ++given) ?? others(request));
  const kept: Token[] = [];
  const place = { load, save: async (token: Token) => void kept.push(token) };
  const tokens = new Tokens({ exchange: exchange(SERVER, network, clock), clock, signer: () => signer, place });
  return { clock, network, tokens, kept, given: () => given };
}

export function pathsOf({ requests }: HandNetwork): readonly string[] {
  return requests.map(({ url }) => new URL(url).pathname);
}

export function tokenOf({ headers }: HttpRequest): string | undefined {
  return headers["authorization"]?.replace(/^Bearer /, "");
}

function signIn({ url }: HttpRequest, next: () => number): HttpResponse | undefined {
  switch (new URL(url).pathname) {
    case "/v1/auth/challenge":
      return json(200, { nonce: toBase64Url(NONCE) });
    case "/v1/auth/token":
      return json(200, { token: `token-${next()}`, lifetimeSeconds: LIFETIME_SECONDS });
    default:
      return undefined;
  }
}
