import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { ROOT } from "./probes.ts";

const MAXIMUM_BYTES = 350 * 1024;

test("the Worker is ready to be deployed, and small", { timeout: 120_000 }, () => {
  const out = mkdtempSync(join(tmpdir(), "edgewise-worker-"));
  try {
    const wrangler = join(ROOT, "node_modules", "wrangler", "bin", "wrangler.js");
    const { status, stdout, stderr } = spawnSync(process.execPath, [wrangler, "deploy", "--dry-run", "--outdir", out], {
      cwd: ROOT,
      encoding: "utf8",
      env: { ...process.env, WRANGLER_SEND_METRICS: "false", CI: "true" },
    });
    expect({ status, stderr, stdout }).toMatchObject({ status: 0, stderr: "" });
    for (const limit of ["USER_LIMIT (500", "ADDRESS_LIMIT (300", "TARGET_LIMIT (60", "GROUP_LIMIT (1200"]) {
      expect(stdout).toContain(`${limit} requests/60s)`);
    }
    const modules = readdirSync(out).filter((name) => /\.(js|wasm)$/.test(name));
    const bytes = modules.reduce((sum, name) => sum + gzipSync(readFileSync(join(out, name)), { level: 9 }).length, 0);
    expect(bytes).toBeGreaterThan(20_000);
    expect(bytes).toBeLessThanOrEqual(MAXIMUM_BYTES);
    // What opens messages is nowhere in it.
    const text = modules.map((name) => readFileSync(join(out, name), "utf8")).join("");
    expect(text).toContain("Edgewise/auth-challenge/v1");
    expect(text).not.toMatch(/openSealed|sealForOne|initiateSession|openMessage/);
  } finally {
    rmSync(out, { recursive: true });
  }
});
