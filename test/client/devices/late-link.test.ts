// A link whose time is over for the new device, while its owner still types digits on the other one: a server that forgets early.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ClientError, type Clock, createClient } from "#client";
import { LINK_TICKET_LIFETIME_SECONDS } from "#wire";
import { memory } from "edgewise/store/memory";
import { platformClock } from "../../../client/transport/platform.ts";
import { RunningServer } from "../../server/running-server.ts";
import { found } from "../../support/accounts.ts";
import { HOOK_MILLISECONDS, newcomer } from "../groups/people.ts";

const LINK_SECONDS = 4;
const folder = mkdtempSync(join(tmpdir(), "edgewise-late-link-"));
let server: RunningServer;

beforeAll(async () => {
  const env = { EDGEWISE_BENCH: "edgewise", EDGEWISE_LINK_SECONDS: String(LINK_SECONDS) };
  server = await RunningServer.start(join(folder, "state"), `1:${"L".repeat(43)}`, 0, env);
}, HOOK_MILLISECONDS);
afterAll(async () => {
  await server.kill();
  rmSync(folder, { recursive: true, force: true });
}, HOOK_MILLISECONDS);

function codeOf(error: unknown): string {
  return error instanceof ClientError ? error.code : String(error);
}

test("digits that are typed when the new device has given up let nobody in", async () => {
  await using alice = await newcomer(server.url, "alice");
  let aheadMilliseconds = 0;
  const clock: Clock = { ...platformClock, nowMilliseconds: () => Date.now() + aheadMilliseconds };
  await using laptop = await createClient({ server: server.url, store: memory(), clock });
  const { link, digits, done } = await laptop.devices.requestLink({ name: "laptop" });
  const approved = alice.client.devices.approveLink(found(link), {
    async digits() {
      const shown = await digits;
      // Its time has begun before that of this side.
      aheadMilliseconds = LINK_TICKET_LIFETIME_SECONDS * 1000;
      expect(await done.catch(codeOf)).toBe("link-expired");
      await sleep((LINK_SECONDS + 2) * 1000);
      return shown;
    },
  });
  expect(await approved.catch(codeOf)).toBe("link-expired");
  expect(await alice.client.devices.list()).toHaveLength(1);
}, 60_000);
