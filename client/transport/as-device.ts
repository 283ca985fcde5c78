// A request as this device: with its token, and once more with a fresh one when that is refused.

import type { HttpResponse } from "../ports.ts";
import { type Asked, type Exchange, Refusal } from "./exchange.ts";
import type { Tokens } from "./tokens.ts";

/** @throws as `Exchange.answer`, and ClientError `device-removed` */
export async function answerToDevice(exchange: Exchange, tokens: Tokens, asked: Asked): Promise<HttpResponse> {
  const token = await unlessAborted(asked.signal, () => tokens.get());
  try {
    return await exchange.answer({ ...asked, token });
  } catch (error) {
    if (!(error instanceof Refusal) || error.code !== "unauthorized") throw error;
    return await exchange.answer({ ...asked, token: await unlessAborted(asked.signal, () => tokens.get(token)) });
  }
}

/** Whoever gives up waits no longer; what others may wait for as well goes on. */
async function unlessAborted<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  signal?.throwIfAborted();
  const { promise: aborted, resolve } = Promise.withResolvers<void>();
  const abort = (): void => resolve();
  signal?.addEventListener("abort", abort);
  try {
    const working = work();
    await Promise.race([working, aborted]);
    signal?.throwIfAborted();
    return await working;
  } finally {
    signal?.removeEventListener("abort", abort);
  }
}
