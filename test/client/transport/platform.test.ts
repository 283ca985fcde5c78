// The platform's network in Node against a real HTTP server that does what no honest one does. That requests and sockets work is
// what every test with a real server shows.

import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { exchange } from "../../../client/transport/exchange.ts";
import { platformClock, platformNetwork } from "../../../client/transport/platform.ts";

const OFFLINE = { name: "ClientError", code: "offline", retryable: true };

async function served(listener: RequestListener): Promise<ReturnType<typeof exchange>["ask"]> {
  const server = createServer(listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return (asked) => exchange(`http://127.0.0.1:${address.port}`, platformNetwork, platformClock).ask(asked);
}

test("a redirect is not followed", async () => {
  const asked: (string | undefined)[] = [];
  const ask = await served(({ url }, response) => {
    asked.push(url);
    response.writeHead(307, { location: "/elsewhere" }).end();
  });
  await expect(ask({ operation: "getConfig", token: "secret" })).rejects.toMatchObject(OFFLINE);
  expect(asked).toEqual(["/v1/config"]);
});

test("an answer that says that it is too large is not read", async () => {
  const ask = await served((_, response) => {
    response.writeHead(200, { "content-length": String(2 ** 40) }).write("{");
    response.write(new Uint8Array(3 * 1024 * 1024));
  });
  await expect(ask({ operation: "getConfig" })).rejects.toMatchObject(OFFLINE);
});

test("an answer without an end is not read to its end", async () => {
  let over = false;
  const ask = await served((_, response) => {
    response.on("close", () => (over = true));
    const more = (): void => {
      if (over) return;
      if (response.write(new Uint8Array(64 * 1024))) setImmediate(more);
      else response.once("drain", more);
    };
    more();
  });
  await expect(ask({ operation: "getConfig" })).rejects.toMatchObject(OFFLINE);
  await expect.poll(() => over).toBe(true);
});

test("an answer that breaks off is none", async () => {
  const ask = await served((_, response) => {
    response.writeHead(200, { "content-length": "100" }).write("{");
    setTimeout(() => response.destroy(), 20);
  });
  await expect(ask({ operation: "getConfig" })).rejects.toMatchObject(OFFLINE);
});

test("an abort ends the request for the server, too", async () => {
  const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>();
  const { promise: left, resolve: leave } = Promise.withResolvers<void>();
  const ask = await served((_, response) => {
    response.on("close", () => leave());
    arrive();
  });
  const controller = new AbortController();
  const outcome = ask({ operation: "getConfig", signal: controller.signal }).catch((error: unknown) => error);
  await arrived;
  controller.abort(new Error("enough"));
  expect(await outcome).toMatchObject({ message: "enough" });
  await left;
});

test("a socket that was closed takes what is sent to it, and drops it; its end is told once", async () => {
  const codes: number[] = [];
  const socket = platformNetwork.openSocket(
    { url: "ws://127.0.0.1:9/", protocols: [] },
    { opened: () => undefined, text: () => undefined, binary: () => undefined, closed: (code) => void codes.push(code) },
  );
  socket.send("before it is open");
  socket.close();
  await expect.poll(() => codes).toEqual([1006]);
  socket.send("after its end");
  socket.close();
  await new Promise((resolve) => void setTimeout(resolve, 50));
  expect(codes).toEqual([1006]);
});
