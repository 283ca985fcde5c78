// What whoever starts the server is told when it cannot start.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { RunningServer } from "../server/running-server.ts";

const START = fileURLToPath(new URL("../../scripts/start.mjs", import.meta.url));
const SEED = `1:${"S".repeat(43)}`;

const folder = mkdtempSync(join(tmpdir(), "edgewise-start-"));
const state = join(folder, "state");
let server: RunningServer;
beforeAll(async () => {
  server = await RunningServer.start(state, SEED);
});
afterAll(async () => {
  await server.kill();
  rmSync(folder, { recursive: true, force: true });
});

function startAgain(env: Readonly<Record<string, string>>): { readonly status: number | null; readonly stderr: string } {
  const { status, stderr } = spawnSync(process.execPath, [START], {
    encoding: "utf8",
    timeout: 60_000,
    env: { ...process.env, SERVER_SEED: SEED, ...env },
  });
  return { status, stderr };
}

test("a second server on the same state does not start, and says which one runs", () => {
  const { status, stderr } = startAgain({ PORT: "0", EDGEWISE_STATE: state });
  expect(status).toBe(1);
  expect(stderr).toContain(`Another server (process ${server.pid}) uses the state in ${state}.`);
});

test("a port that is taken is said to be, with the way to another one", () => {
  const { status, stderr } = startAgain({ PORT: String(server.port), EDGEWISE_STATE: join(folder, "other") });
  expect(status).toBe(1);
  expect(stderr).toContain(`Port ${server.port} of this machine is taken`);
  expect(stderr).toContain(`PORT=${server.port + 1} npm start`);
});

test("a port that is none is refused", () => {
  expect(startAgain({ PORT: "abc", EDGEWISE_STATE: join(folder, "other") })).toMatchObject({
    status: 1,
    stderr: expect.stringContaining("not abc"),
  });
});

test("a server that was killed leaves its state to the next one", async () => {
  const place = join(folder, "killed");
  const first = await RunningServer.start(place, SEED);
  await first.kill();
  const second = await RunningServer.start(place, SEED);
  expect(second.pid).not.toBe(first.pid);
  await second.kill("SIGTERM");
});
