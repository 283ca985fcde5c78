// The page about the SDK, run as it stands.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { execFile } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { RunningServer } from "../server/running-server.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

test("the snippets of the page about the SDK, one after the other, do what they say", async () => {
  const snippets = readFileSync(join(ROOT, "docs", "sdk.md"), "utf8").matchAll(/```ts\n([\s\S]+?)```/g);
  const page = [...snippets].map(([, snippet = ""]) => snippet);
  expect(page).toHaveLength(5);
  const folder = mkdtempSync(join(tmpdir(), "edgewise-page-"));
  const program = join(folder, "page.mjs");
  const server = await RunningServer.start(join(folder, "state"), `1:${"C".repeat(43)}`);
  try {
    const code = page
      .join("\n")
      .replaceAll('"edgewise', `"${ROOT}client`)
      .replace('client"', 'client/index.ts"')
      .replace('store/memory"', 'store/memory.ts"')
      .replace("http://localhost:8787", server.url);
    writeFileSync(
      program,
      `${code}
      console.log(hello.text, "was delivered to", hiking.members.length, "by", devices.length);
      console.log(read);`,
    );
    const { stdout } = await promisify(execFile)(process.execPath, [program], { timeout: 60_000 });
    const lines = [
      "100 %",
      `Alice Liddell shows Blob { size: 70, type: 'image/png' }`,
      `Type what "laptop" shows.`,
      "hello was delivered to 2 by 2",
      "notes.txt: Bring water.",
    ];
    expect(stdout).toBe(`${lines.join("\n")}\n`);
  } finally {
    await server.kill();
    rmSync(folder, { recursive: true, force: true });
  }
});
