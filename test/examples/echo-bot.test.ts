// The bot of the examples, as a process, and somebody who talks to it.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { createClient } from "#client";
import { memory } from "edgewise/store/memory";
import { RunningServer } from "../server/running-server.ts";

const BOT = fileURLToPath(new URL("../../examples/echo-bot.ts", import.meta.url));

test("a bot that echoes has at most twelve lines", () => {
  const lines = readFileSync(BOT, "utf8").split("\n");
  expect(lines.filter((line) => line !== "" && !line.startsWith("//")).length).toBeLessThanOrEqual(12);
});

test("what is said to the bot comes back, once and in order", async () => {
  const folder = mkdtempSync(join(tmpdir(), "edgewise-bot-"));
  const server = await RunningServer.start(join(folder, "state"), `1:${"B".repeat(43)}`);
  const bot = spawn(process.execPath, [BOT, server.url, join(folder, "echo.db")], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    await new Promise((resolve) => bot.stdout.once("data", resolve));
    await using me = await createClient({ server: server.url, store: memory() });
    await me.register({ username: "alice" });
    const echo = await me.conversations.direct("echo");
    const said = ["one", "two", "three"];
    for (const text of said) await echo.send(text);
    me.connect().catch(() => undefined);
    const heard: string[] = [];
    for await (const event of me.events({ signal: AbortSignal.timeout(30_000) })) {
      if (event.type === "message") heard.push(event.message.text);
      if (heard.length === said.length) break;
    }
    expect(heard).toEqual(said);
  } finally {
    bot.kill();
    await server.kill();
    rmSync(folder, { recursive: true, force: true });
  }
});
