// The body of a request as far as it comes.

import { expect, test } from "vitest";
import { IncomingBody } from "../../durable-objects/upload/body.ts";

const never = new AbortController().signal;
const BYTES = new Uint8Array([1, 2, 3]);

/** Brings three bytes, and then does what `then` does. */
function body(then: (controller: ReadableStreamDefaultController<Uint8Array>) => void): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      controller.enqueue(BYTES);
    },
    pull: then,
  });
}

async function readAll(incoming: IncomingBody): Promise<number> {
  let length = 0;
  for (let bytes = await incoming.next(); bytes !== undefined; bytes = await incoming.next()) length += bytes.length;
  return length;
}

test("one that ends is all there was", async () => {
  const incoming = new IncomingBody(
    body((controller) => controller.close()),
    never,
  );
  expect([await readAll(incoming), incoming.isCutShort]).toEqual([3, false]);
});

test("one that breaks off is what came, and said to be cut short", async () => {
  const incoming = new IncomingBody(
    body((controller) => controller.error(new Error("the connection is gone"))),
    never,
  );
  // Nothing is lost that came before, as long as it was read before.
  expect([await incoming.next(), await incoming.next(), incoming.isCutShort]).toEqual([BYTES, undefined, true]);
});

test("one that stops coming is ended", async () => {
  const incoming = new IncomingBody(
    body(() => undefined),
    never,
    10,
  );
  expect([await readAll(incoming), incoming.isCutShort]).toEqual([3, true]);
});

test("one that is given up is ended at once, also before it begins", async () => {
  const giveUp = new AbortController();
  const incoming = new IncomingBody(
    body(() => undefined),
    giveUp.signal,
  );
  expect(await incoming.next()).toEqual(BYTES);
  const next = incoming.next();
  giveUp.abort();
  expect([await next, incoming.isCutShort]).toEqual([undefined, true]);
  const late = new IncomingBody(
    body(() => undefined),
    giveUp.signal,
  );
  expect([await late.next(), late.isCutShort]).toEqual([undefined, true]);
});
