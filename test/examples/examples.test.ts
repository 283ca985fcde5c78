import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const run = promisify(execFile);

function example(name: string): Promise<{ stdout: string; stderr: string }> {
  return run(process.execPath, [fileURLToPath(new URL(`../../examples/${name}`, import.meta.url))]);
}

test("the first conversation runs as it stands, and both read what the other wrote", async () => {
  const { stdout, stderr } = await example("first-conversation.ts");
  expect(stdout).toBe("Bob reads:   hello Bob\nAlice reads: hello Alice\n");
  expect(stderr).toBe("");
});
