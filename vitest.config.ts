// One suite, three runtimes. Every test runs in Node; a `*.portable.test.ts` runs in workerd and in a browser as well,
// so what we claim to be pure is shown to be. `interop` stands apart: its peers are installed under test/interop.

import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { playwright } from "@vitest/browser-playwright";
import { defineConfig } from "vitest/config";
import { chromiumFlags, findChromium } from "./scripts/chromium.mjs";

const portable = ["test/{wire,crypto,identity,protocol}/**/*.portable.test.ts"];
const executablePath = findChromium();

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "node",
          include: ["test/**/*.test.ts"],
          exclude: ["test/interop/**"],
          environment: "node",
        },
      },
      {
        test: {
          name: "interop",
          include: ["test/interop/**/*.test.ts"],
          exclude: ["test/interop/node_modules/**"],
          environment: "node",
        },
      },
      {
        plugins: [cloudflareTest({ miniflare: { compatibilityDate: "2026-11-17" } })],
        test: {
          name: "workerd",
          include: portable,
        },
      },
      {
        test: {
          name: "browser",
          include: portable,
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
