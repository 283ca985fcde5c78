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

test("the first snippet of the page about the SDK does what it says", async () => {
  const [, snippet] = /```ts\n([\s\S]+?)```/.exec(readFileSync(join(ROOT, "docs", "sdk.md"), "utf8")) ?? [];
  if (snippet === undefined) throw new RangeError("no snippet");
  const folder = mkdtempSync(join(tmpdir(), "edgewise-page-"));
  const program = join(folder, "page.mjs");
  const server = await RunningServer.start(join(folder, "state"), `1:${"C".repeat(43)}`);
  try {
    const code = snippet
      .replaceAll('"edgewise', `"${ROOT}client`)
      .replace('client"', 'client/index.ts"')
      .replace('store/memory"', 'store/memory.ts"');
    writeFileSync(program, `const server = ${JSON.stringify(server.url)};\n${code}\nconsole.log(hello.text, "was delivered");\n`);
    const { stdout } = await promisify(execFile)(process.execPath, [program], { timeout: 60_000 });
    expect(stdout).toBe("hello was delivered\n");
  } finally {
    await server.kill();
    rmSync(folder, { recursive: true, force: true });
  }
});
