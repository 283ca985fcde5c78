// One request and its answer: by the route table, within a time, with every failure as a ClientError. Knows no token and
// what no answer means.

import { type Bytes, fromUtf8, type Operation, pathOf, type ProblemCode, PROBLEM_STATUS, ROUTES } from "#wire";
import { ClientError, type ErrorCode } from "../errors.ts";
import type { Clock, HttpResponse, Network } from "../ports.ts";

const TIMEOUT_MILLISECONDS = 20_000;

export interface Asked {
  readonly operation: Operation;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly query?: string;
  readonly token?: string;
  /** Instead of a token: the proof of a key, behind its scheme. */
  readonly proof?: string;
  /** The same at every repeat of one request. */
  readonly idempotencyKey?: string;
  /** Besides those that follow from the rest. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Of success, where it is not the route's. */
  readonly status?: number;
  /** For what takes longer than others. */
  readonly timeoutMilliseconds?: number;
  /** Bytes are what the route says, anything else is JSON. */
  readonly body?: Bytes | Readonly<Record<string, unknown>>;
  readonly signal?: AbortSignal | undefined;
}

/** A refusal of the server's, by its code, with what else its problem document says. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly code: ProblemCode;
  readonly members: Readonly<Record<string, unknown>>;
  readonly retryAfter: number | undefined;

  constructor(code: ProblemCode, members: Readonly<Record<string, unknown>>, retryAfter: number | undefined) {
    super(code);
    this.code = code;
    this.members = members;
    this.retryAfter = retryAfter;
  }
}

export interface Exchange {
  /** @throws Refusal; ClientError `offline`, `server-failed`; the signal's reason. */
  ask(asked: Asked): Promise<Bytes>;
  /** With its headers, for whom they say something. */
  answer(asked: Asked): Promise<HttpResponse>;
}

export function exchange(url: string, network: Network, clock: Clock): Exchange {
  async function answer(asked: Asked): Promise<HttpResponse> {
    const { method, status } = ROUTES[asked.operation];
    // Here, because what cannot be asked for at all is no failure of the network.
    const request = {
      method,
      url: `${url}${pathOf(asked.operation, asked.parameters)}${asked.query ?? ""}`,
      headers: headersOf(asked),
      body: asked.body === undefined || asked.body instanceof Uint8Array ? asked.body : JSON.stringify(asked.body),
    };
    const { timeoutMilliseconds: time = TIMEOUT_MILLISECONDS } = asked;
    const response = await within({ clock, time, caller: asked.signal }, (signal) => network.request({ ...request, signal }));
    if (response.status === (asked.status ?? status)) return response;
    throw refusalOf(response, method);
  }
  return { answer, ask: async (asked) => (await answer(asked)).body };
}

/** The ClientError of a refusal, where nothing else is known about it. */
export function errorOf(refusal: Refusal, specific: Partial<Record<ProblemCode, ErrorCode>> = {}): ClientError {
  const { code, retryAfter } = refusal;
  return new ClientError(specific[code] ?? GENERAL[code] ?? "refused", { cause: refusal, retryAfter });
}

const GENERAL: Partial<Record<ProblemCode, ErrorCode>> = {
  unauthorized: "device-removed",
  "rate-limited": "rate-limited",
  internal: "server-failed",
  unavailable: "server-failed",
  "mailbox-full": "mailbox-full",
  "upgrade-required": "upgrade-required",
};

function headersOf({ operation, token, proof, idempotencyKey, body, headers: others }: Asked): Readonly<Record<string, string>> {
  const { request } = ROUTES[operation];
  const type = { none: undefined, json: "application/json", protobuf: "application/x-protobuf", bytes: "application/octet-stream" }[
    request
  ];
  const headers = {
    authorization: token === undefined ? proof : `Bearer ${token}`,
    "idempotency-key": idempotencyKey,
    "content-type": body === undefined ? undefined : type,
    ...others,
  };
  return Object.fromEntries(Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

interface Patience {
  readonly clock: Clock;
  readonly time: number;
  readonly caller: AbortSignal | undefined;
}

/** Whatever goes wrong on the way is `offline`: whether the server has acted nobody knows. */
async function within<T>({ clock, time, caller }: Patience, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  caller?.throwIfAborted();
  const controller = new AbortController();
  const cancel = clock.after(time, () => controller.abort());
  const abort = (): void => controller.abort();
  caller?.addEventListener("abort", abort);
  try {
    return await work(controller.signal);
  } catch (cause) {
    caller?.throwIfAborted();
    throw new ClientError("offline", { cause });
  } finally {
    cancel();
    caller?.removeEventListener("abort", abort);
  }
}

function refusalOf({ status, headers, body }: HttpResponse, method: string): Error {
  const members = parseJson(body);
  // An answer to HEAD has no body that could say it.
  const code = method === "HEAD" ? OF_HEAD[status] : members["code"];
  const wait = Number(headers.get("retry-after"));
  const retryAfter = Number.isFinite(wait) && wait > 0 ? Math.min(wait, 3600) : undefined;
  const known = typeof code === "string" && Object.hasOwn(PROBLEM_STATUS, code) ? (code as ProblemCode) : undefined; // a key of the table
  if (known !== undefined && PROBLEM_STATUS[known] === status) return new Refusal(known, members, retryAfter);
  if (status === 429) return new Refusal("rate-limited", {}, retryAfter);
  return new ClientError("server-failed", { retryAfter });
}

const OF_HEAD: Readonly<Record<number, ProblemCode>> = { 404: "not-found", 410: "gone", 501: "no-media" };

/** A JSON object, or an empty one for anything else. */
export function parseJson(body: Bytes): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(fromUtf8(body));
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
