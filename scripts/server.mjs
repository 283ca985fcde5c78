// The server on this machine: the Worker, bundled, on Miniflare, with its state in a folder. One process of ours and one
// of the runtime; both end together. Needs no account and reaches no network.

import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { root } from "./setup.mjs";

/** The one constant that says which runtime we are written for. */
const COMPATIBILITY_DATE = /^compatibility_date = "(.+)"$/m.exec(readFileSync(join(root, "wrangler.toml"), "utf8"))?.[1] ?? "";

/** @type {60} */
const MINUTE = 60;
const LIMITS = {
  USER_LIMIT: { namespace_id: "1", simple: { limit: 500, period: MINUTE } },
  ADDRESS_LIMIT: { namespace_id: "2", simple: { limit: 300, period: MINUTE } },
  TARGET_LIMIT: { namespace_id: "3", simple: { limit: 60, period: MINUTE } },
  GROUP_LIMIT: { namespace_id: "4", simple: { limit: 1200, period: MINUTE } },
};

/** What both the server and the floor bind. */
const MAILBOX = { MAILBOX: { className: "Mailbox", useSQLite: true } };
/** As in wrangler.toml. */
const EDGEWISE = {
  durableObjects: {
    ...MAILBOX,
    GROUP: { className: "Group", useSQLite: true },
    FAN_OUT: { className: "FanOut", useSQLite: true },
    UPLOAD: { className: "Upload", useSQLite: true },
    RENDEZVOUS: { className: "Rendezvous", useSQLite: true },
  },
  queueProducers: { FANOUT_QUEUE: "edgewise-fan-out" },
  queueConsumers: {
    "edgewise-fan-out": { maxBatchSize: 10, maxBatchTimeout: 0, maxRetries: 5, deadLetterQueue: "edgewise-fan-out-dead" },
    "edgewise-fan-out-dead": { maxBatchSize: 10, maxBatchTimeout: 1, maxRetries: 5 },
  },
};
const HOUR_MILLISECONDS = 3600 * 1000;
/** A queue of this runtime is forgotten when the process ends: what nobody confirmed is enqueued again soon. */
const FANOUT_PAUSE_SECONDS = "1";

/**
 * @param {{ port: number, state: string, seed: string, bench?: string | undefined, linkSeconds?: string | undefined }} options `port`
 *   0 takes a free one; `state` is a folder; `bench` is for benches only: without rate limits, `edgewise` or the `floor` that it is
 *   compared with; `linkSeconds` is for tests only: how long devices may take to meet
 * @returns {Promise<{ url: string, stop: () => Promise<void> }>}
 */
export async function startServer({ port, state, seed, bench, linkSeconds }) {
  mkdirSync(state, { recursive: true });
  requireSameSeed(state, seed);
  const leave = takeState(state);
  const isFloor = bench === "floor";
  const options = convertV4MiniflareOptions({
    host: "127.0.0.1",
    port,
    modules: true,
    script: await bundle(isFloor ? "bench/floor/index.ts" : "workers/gateway/index.ts"),
    compatibilityDate: COMPATIBILITY_DATE,
    bindings: { SERVER_SEED: seed, FANOUT_PAUSE_SECONDS, ...(linkSeconds === undefined ? {} : { LINK_SECONDS: linkSeconds }) },
    ...(isFloor ? { durableObjects: MAILBOX } : EDGEWISE),
    d1Databases: { KEYS_DB: "edgewise-keys" },
    r2Buckets: { MEDIA: "edgewise-media" },
    resourcePersistencePath: state,
    ...(bench === undefined ? { ratelimits: LIMITS } : {}),
  });
  const miniflare = new Miniflare(options);
  const url = await miniflare.ready.catch((error) => {
    leave();
    throw /in use/i.test(String(error)) ? new Error(takenPort(port), { cause: error }) : error;
  });
  await applySchema(await miniflare.getD1Database("KEYS_DB"));
  const stopSweeping = isFloor ? () => {} : sweepHourly(miniflare);
  return {
    url: url.origin,
    async stop() {
      stopSweeping();
      await miniflare.dispose();
      leave();
    },
  };
}

/**
 * What `crons` of wrangler.toml asks for; this runtime keeps no clock. Files that are too old are read by nobody anyway, so a
 * run that fails may wait for the next.
 * @param {Miniflare} miniflare
 * @returns {() => void} ends it
 */
function sweepHourly(miniflare) {
  const sweep = async () => {
    const worker = await miniflare.getWorker();
    await worker.scheduled({});
  };
  const timer = setInterval(() => void sweep().catch(() => undefined), HOUR_MILLISECONDS);
  timer.unref();
  return () => clearInterval(timer);
}

/** @param {number} port */
function takenPort(port) {
  return `Port ${port} of this machine is taken, perhaps by a server that runs already. Another one: PORT=${port + 1} npm start`;
}

/**
 * Two servers on one state would each keep what the other does not see. A server that is gone holds nothing.
 * @param {string} state
 * @returns {() => void} gives it back
 */
function takeState(state) {
  const path = join(state, "server-pid");
  const holder = existsSync(path) ? Number(readFileSync(path, "utf8")) : undefined;
  if (holder !== undefined && holder !== process.pid && isRunning(holder)) {
    throw new Error(
      `Another server (process ${holder}) uses the state in ${state}. Stop it, or choose another folder with EDGEWISE_STATE.`,
    );
  }
  writeFileSync(path, String(process.pid));
  return () => rmSync(path, { force: true });
}

/** @param {number} pid */
function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** The seed of `.dev.vars`, which is made when there is none. Whoever has it is this server. */
export function localSeed() {
  const path = join(root, ".dev.vars");
  if (!existsSync(path)) writeFileSync(path, `SERVER_SEED="1:${randomBytes(32).toString("base64url")}"\n`, { mode: 0o600 });
  const seed = /^SERVER_SEED="?([^"\n]+)"?$/m.exec(readFileSync(path, "utf8"))?.[1];
  if (seed === undefined) throw new Error(".dev.vars has no SERVER_SEED");
  return seed;
}

/**
 * Names of objects follow from the first seed: under another one, old state is there and nobody finds it.
 * @param {string} state
 * @param {string} seed
 */
function requireSameSeed(state, seed) {
  const path = join(state, "seed-check");
  const first = seed.split(",").find((version) => version.trim().startsWith("1:")) ?? "";
  const mark = createHash("sha256").update(`Edgewise/server/seed-check/v1 ${first.trim()}`).digest("hex");
  if (!existsSync(path)) writeFileSync(path, mark, { mode: 0o600 });
  else if (readFileSync(path, "utf8") !== mark) throw new Error(`The state in ${state} was made under another SERVER_SEED.`);
}

/** @param {import("@cloudflare/workers-types").D1Database} database */
async function applySchema(database) {
  const statements = readFileSync(join(root, "schema.sql"), "utf8")
    .replaceAll(/--.*$/gm, "")
    .split(";")
    .map((statement) => statement.trim())
    .filter((statement) => statement !== "");
  await database.batch(statements.map((statement) => database.prepare(statement)));
}

/**
 * @param {string} entry
 * @returns {Promise<string>} the Worker as one module
 */
async function bundle(entry) {
  const { outputFiles } = await build({
    entryPoints: [join(root, entry)],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*", "node:*"],
    logLevel: "warning",
  });
  const [file] = outputFiles;
  if (file === undefined) throw new Error("the bundler wrote nothing");
  return file.text;
}
