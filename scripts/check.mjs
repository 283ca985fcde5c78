// `npm run check`: what can be said about the sources without running them. Every step runs, also after one has failed.

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { prepare, root } from "./setup.mjs";

/** The four layers that every client carries, with the noble backend, minified and compressed. */
const MAXIMUM_BYTES = 80_000;

/** @typedef {{ readonly ok: boolean; readonly text: string; readonly note?: string }} Result */

prepare(import.meta.url);

/** @type {readonly (readonly [string, () => Result | Promise<Result>])[]} */
const steps = [
  ["format", () => tool("oxfmt", "--check")],
  ["lint", () => tool("oxlint", "--type-aware", "--deny-warnings", "--report-unused-disable-directives", "--format=stylish")],
  ["types", () => both(tool("tsc", "-b"), tool("tsc", "-p", "scripts"))],
  ["proto", () => both(tool("buf", "lint"), generatedCode())],
  ["unused", () => tool("knip", "--no-progress", "--treat-config-hints-as-errors")],
  ["size", size],
  ["worker", worker],
];

let failed = 0;
for (const [name, step] of steps) {
  const start = performance.now();
  const { ok, text, note } = await step();
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${ok ? "✓" : "✗"} ${name.padEnd(15)} ${seconds.padStart(5)} s${note === undefined ? "" : `   ${note}`}`);
  if (!ok) {
    failed++;
    console.log(text.trim().replaceAll(/^/gm, "    "));
  }
}
process.exit(failed === 0 ? 0 : 1);

/**
 * @param {string} name a program of node_modules/.bin
 * @param {...string} args
 * @returns {Result}
 */
function tool(name, ...args) {
  const env = process.stdout.isTTY ? process.env : { ...process.env, NO_COLOR: "1" };
  const { status, stdout, stderr, error } = spawnSync(name, args, {
    cwd: root,
    env,
    encoding: "utf8",
    shell: process.platform === "win32",
  });
  return { ok: status === 0, text: `${stdout}${stderr}${error?.message ?? ""}` };
}

/**
 * @param {Result} a
 * @param {Result} b
 * @returns {Result}
 */
function both(a, b) {
  return { ok: a.ok && b.ok, text: a.text + b.text };
}

/** @returns {Result} */
function generatedCode() {
  mkdirSync(join(root, ".tsc"), { recursive: true });
  const fresh = mkdtempSync(join(root, ".tsc", "generated-"));
  try {
    const made = tool("buf", "generate", "wire/proto", "--output", fresh);
    if (!made.ok) return made;
    const now = readTree(join(root, "wire", "gen"));
    const wanted = readTree(join(fresh, "wire", "gen"));
    if (wanted.size === 0) return { ok: false, text: "buf generated nothing" };
    const different = [...new Set([...now.keys(), ...wanted.keys()])].filter((path) => now.get(path) !== wanted.get(path));
    return { ok: different.length === 0, text: `Not what the .proto files say (npm run generate):\n${different.join("\n")}` };
  } finally {
    rmSync(fresh, { recursive: true });
  }
}

/**
 * @param {string} folder
 * @returns {Map<string, string>} file contents by path below `folder`
 */
function readTree(folder) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    files.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [path.slice(folder.length + 1), readFileSync(path, "utf8")];
    }),
  );
}

/** @returns {Promise<Result>} */
async function size() {
  const { build } = await import("esbuild");
  const layers = ["#wire", "#crypto", "#identity", "#protocol"];
  try {
    const { outputFiles } = await build({
      stdin: { contents: layers.map((layer) => `export * from "${layer}";`).join("\n"), resolveDir: root },
      bundle: true,
      minify: true,
      format: "esm",
      // No platform: a `node:` import anywhere below these four doors does not resolve and fails this step.
      platform: "neutral",
      mainFields: ["module", "main"],
      target: "es2024",
      write: false,
      logLevel: "silent",
    });
    const bytes = outputFiles.reduce((sum, file) => sum + gzipSync(file.contents, { level: 9 }).length, 0);
    const kilobytes = `${(bytes / 1000).toFixed(1)} kB gzip of at most ${MAXIMUM_BYTES / 1000} kB`;
    return { ok: bytes <= MAXIMUM_BYTES, text: "wire, crypto, identity and protocol together are too large", note: kilobytes };
  } catch (error) {
    return { ok: false, text: String(error) };
  }
}

/**
 * What the Worker costs before its first request: the size that is uploaded, and the CPU time of reading its modules in
 * this engine (the platform allows one second). Printed, because it is a measurement and no verdict.
 * @returns {Promise<Result>}
 */
async function worker() {
  const { build } = await import("esbuild");
  const folder = mkdtempSync(join(tmpdir(), "edgewise-worker-"));
  try {
    const file = join(folder, "worker.mjs");
    await build({
      entryPoints: [join(root, "workers/gateway/index.ts")],
      outfile: file,
      bundle: true,
      minify: true,
      format: "esm",
      target: "es2024",
      conditions: ["workerd", "worker", "browser"],
      external: ["node:*"],
      alias: { "cloudflare:workers": join(root, "test/support/cloudflare-workers.ts") },
      logLevel: "silent",
    });
    const measure = `const before = process.cpuUsage(); await import(${JSON.stringify(pathToFileURL(file).href)}); const { user, system } = process.cpuUsage(before); console.log(((user + system) / 1000).toFixed(0));`;
    const { stdout, status, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", measure], { encoding: "utf8" });
    const kilobytes = (gzipSync(readFileSync(file), { level: 9 }).length / 1000).toFixed(1);
    return { ok: status === 0, text: stderr, note: `${kilobytes} kB gzip, ${stdout.trim()} ms of CPU to start` };
  } catch (error) {
    return { ok: false, text: String(error) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
