// A server for a benchmark, ours or the floor: a process tree of its own, without rate limits, its state in a folder that
// goes with it.

import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RunningServer } from "../test/server/running-server.ts";

export interface BenchServer {
  readonly url: string;
  readonly pid: number;
  end(): Promise<void>;
}

export async function startBenchServer(name: "edgewise" | "floor"): Promise<BenchServer> {
  const state = mkdtempSync(join(tmpdir(), "edgewise-bench-"));
  const server = await RunningServer.start(state, `1:${randomBytes(32).toString("base64url")}`, 0, {
    EDGEWISE_BENCH: name,
    X_LOCAL_OBSERVABILITY: "false",
  });
  return {
    url: server.url,
    pid: server.pid,
    async end() {
      await server.kill();
      rmSync(state, { recursive: true, force: true });
    },
  };
}
