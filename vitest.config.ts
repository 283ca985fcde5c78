// One suite, three runtimes. Every test runs in Node; a `*.portable.test.ts` runs in workerd and in a browser as well,
// so what we claim to be pure is shown to be; a `*.browser.test.ts` is about what only a browser has. `interop` stands
// apart: its peers are installed under test/interop.

import { fileURLToPath } from "node:url";
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { playwright } from "@vitest/browser-playwright";
import { defineConfig } from "vitest/config";
import { chromiumFlags, findChromium } from "./scripts/chromium.mjs";
import { HalvesApart } from "./scripts/halves-apart.mjs";

const portable = ["test/{wire,crypto,identity,protocol,client}/**/*.portable.test.ts"];
// Generous, because a shared machine is slow at times; what has to be fast is measured in bench/.
const patience = { testTimeout: 300_000, hookTimeout: 120_000 };
// A tenth less CPU time for what makes many short-lived objects, which is most of it.
const roomForTheYoung = { execArgv: ["--max-semi-space-size=64"] };
const executablePath = findChromium();

export default defineConfig({
  test: {
    // Three files at a time also on two cores, where the default is one: many wait for servers and programs to start.
    maxWorkers: 3,
    sequence: { sequencer: HalvesApart },
    projects: [
      {
        resolve: { alias: { "cloudflare:workers": fileURLToPath(new URL("test/support/cloudflare-workers.ts", import.meta.url)) } },
        test: {
          name: "node",
          include: ["test/**/*.test.ts"],
          exclude: ["test/interop/**", "test/**/*.{workerd,browser}.test.ts"],
          environment: "node",
          ...patience,
          ...roomForTheYoung,
          // A bundle of everything is a program as it is; to transform it once more takes longer than many of its runs.
          server: { deps: { external: [/edgewise-simulator-/] } },
        },
      },
      {
        test: {
          name: "interop",
          include: ["test/interop/**/*.test.ts"],
          exclude: ["test/interop/node_modules/**"],
          environment: "node",
          ...patience,
          ...roomForTheYoung,
        },
      },
      {
        plugins: [cloudflareTest({ miniflare: { compatibilityDate: "2026-11-17" } })],
        test: {
          name: "workerd",
          include: portable,
          // They are pure, and a runtime for each costs more than they do.
          isolate: false,
          ...patience,
        },
      },
      {
        plugins: [
          cloudflareTest({
            main: "./test/durable-objects/support/worker.ts",
            miniflare: {
              compatibilityDate: "2026-11-17",
              durableObjects: {
                MAILBOX: { className: "Mailbox", useSQLite: true },
                GROUP: { className: "Group", useSQLite: true },
                FAN_OUT: { className: "FanOut", useSQLite: true },
                UPLOAD: { className: "Upload", useSQLite: true },
                RENDEZVOUS: { className: "Rendezvous", useSQLite: true },
              },
              // Nobody consumes it: what is enqueued is lost, unless a test brings it to the consumer.
              queueProducers: { FANOUT_QUEUE: "edgewise-fan-out" },
              d1Databases: ["KEYS_DB", "KEYS_DB_1", "KEYS_DB_2"],
              r2Buckets: ["MEDIA"],
              bindings: { SERVER_SEED: `1:${"A".repeat(43)}`, FANOUT_PAUSE_SECONDS: "60" },
            },
          }),
        ],
        test: {
          name: "server",
          include: ["test/{durable-objects,workers}/**/*.workerd.test.ts"],
          ...patience,
        },
      },
      {
        // Our dependencies are modules as they are. Bundling them on discovery reloads the page under a running test.
        optimizeDeps: {
          exclude: [
            "@bufbuild/protobuf",
            "@noble/ciphers",
            "@noble/curves",
            "@noble/hashes",
            "@noble/post-quantum",
            "fast-check",
            "idb",
            "pure-rand",
            "thumbhash",
          ],
        },
        test: {
          name: "browser",
          include: [...portable, "test/client/**/*.browser.test.ts"],
          ...patience,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({
              launchOptions: { args: [...chromiumFlags], ...(executablePath === undefined ? {} : { executablePath }) },
            }),
            instances: [{ browser: "chromium" }],
          },
        },
      },
    ],
  },
});
