import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { HttpUser } from "./http-user.ts";
import { RunningServer } from "./running-server.ts";

const state = mkdtempSync(join(tmpdir(), "edgewise-"));
afterAll(() => rmSync(state, { recursive: true, force: true }));

/** Well below the ten seconds after which an idle object sleeps. */
const PATIENCE_MILLISECONDS = 5000;

test("a client that closes its socket is answered, and does not wait until the mailbox sleeps", async () => {
  const server = await RunningServer.start(state, `1:${randomBytes(32).toString("base64url")}`);
  const user = new HttpUser(server.url, 1);
  await user.register();
  const stop = new AbortController();
  const closed = user.listen(
    () => undefined,
    stop.signal,
    () => stop.abort(),
  );
  const outcome = await Promise.race([
    closed.then(() => "closed"),
    new Promise((resolve) => {
      setTimeout(resolve, PATIENCE_MILLISECONDS, "still open");
    }),
  ]);
  await server.kill("SIGTERM");
  expect(outcome).toBe("closed");
});
