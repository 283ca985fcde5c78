// What a process needs to encrypt a file of the disk to another, and to read that into a third. Each figure is that of a process of
// its own, which is this program.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { open, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decryptMedia, EncryptedMedia } from "../../client/media/cipher.ts";
import { Secret, systemRandom, useBackend } from "../../crypto/index.ts";
import { nodeBackend } from "../../crypto/node.ts";
import type { Bytes } from "../../wire/index.ts";
import type { Rounds } from "../rounds.ts";

const MIB = 1024 * 1024;
const [SMALL, LARGE] = [1, 100];
const PIECE_BYTES = 65_536;
const UNIT = "MiB (cost)";

export function measureMemory(rounds: Rounds, count: number): void {
  for (let round = 0; round < count; round++) {
    const [small, large] = [needed(SMALL), needed(LARGE)];
    rounds.note("edgewise (node)", [
      { work: `memory, ${SMALL} MiB`, unit: UNIT, value: small },
      { work: `memory, ${LARGE} MiB`, unit: UNIT, value: large },
      { work: `memory, ${LARGE} MiB above ${SMALL} MiB`, unit: UNIT, value: large - small },
    ]);
  }
}

function needed(mebibytes: number): number {
  return Number(execFileSync(process.execPath, [import.meta.filename, String(mebibytes)], { encoding: "utf8" }));
}

/**
 * The most that the process had, in bytes. Sampled, because the platform's own maximum begins with that of the process which
 * started this one.
 */
async function thereAndBack(folder: string, size: number): Promise<number> {
  let most = 0;
  async function written(name: string, source: AsyncIterable<Bytes>): Promise<void> {
    await using file = await open(join(folder, name), "w");
    for await (const piece of source) {
      await file.write(piece);
      most = Math.max(most, process.memoryUsage.rss());
    }
  }
  const key = systemRandom(32);
  await written("plain", noise(size));
  const encrypted = new EncryptedMedia(read(join(folder, "plain")), size, new Secret(key.slice()));
  await written("stored", encrypted.stored);
  const stored = read(join(folder, "stored"));
  await written("read", decryptMedia(stored, { key, digest: encrypted.digest(), size }, await lengthOf(join(folder, "stored"))));
  if ((await lengthOf(join(folder, "read"))) !== size) throw new Error("bytes were lost");
  return most;
}

async function* noise(size: number): AsyncGenerator<Bytes, void, undefined> {
  for (let at = 0; at < size; at += PIECE_BYTES) yield systemRandom(PIECE_BYTES);
}

async function* read(path: string): AsyncGenerator<Bytes, void, undefined> {
  await using file = await open(path);
  const memory = new Uint8Array(PIECE_BYTES);
  for (;;) {
    const { bytesRead } = await file.read(memory);
    if (bytesRead === 0) return;
    yield memory.subarray(0, bytesRead);
  }
}

async function lengthOf(path: string): Promise<number> {
  return (await stat(path)).size;
}

if (import.meta.main) {
  useBackend(nodeBackend);
  const folder = mkdtempSync(join(tmpdir(), "edgewise-bench-media-"));
  try {
    console.log((await thereAndBack(folder, Number(process.argv[2]) * MIB)) / MIB);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
