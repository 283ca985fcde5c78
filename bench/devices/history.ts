// A new device: linked until it has the first message, and given all that was said before until the last message is in its store and the
// last file is in its hands. Beside it the same bytes, to a Worker that puts them into one object and gives them back: neither encrypted
// nor looked at.

import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Client, createClient } from "../../client/index.ts";
import { TAKEN_HISTORY } from "../../client/records/tables.ts";
import { Vault } from "../../client/records/vault.ts";
import { sqlite } from "../../client/store/sqlite.ts";
import { systemRandom, useBackend } from "../../crypto/index.ts";
import { nodeBackend } from "../../crypto/node.ts";
import { seed } from "../../test/client/devices/seeds.ts";
import { encryptedMediaLength, parseUserId } from "../../wire/index.ts";
import { type BenchServer, startBenchServer } from "../bench-server.ts";
import type { Rounds } from "../rounds.ts";

/** The reference of these rows. */
export const COPY = "copy by a Worker";
const EDGEWISE = "edgewise (node)";
const UNIT = "s (cost)";
const FILE_BYTES = 100_000;
const LOOK_AGAIN_MILLISECONDS = 10;

export interface HistoryPlan {
  /** Each links a device; an account has six. */
  readonly rounds: number;
  readonly messages: number;
  readonly files: number;
}

export async function linkAndTakeHistory(rounds: Rounds, plan: HistoryPlan): Promise<void> {
  useBackend(nodeBackend);
  const folder = mkdtempSync(join(tmpdir(), "edgewise-bench-"));
  const servers = [await startBenchServer("edgewise"), await startBenchServer("floor")] as const;
  try {
    const home = new Home(servers[0].url, folder);
    await using owner = await home.owner(plan);
    for (let round = 0; round < plan.rounds; round++) {
      const { linked, given, bytes } = await home.link(owner, `device-${round}`, plan);
      const work = `history of ${plan.messages.toLocaleString("en")} messages and ${plan.files} files`;
      rounds.note(EDGEWISE, [
        { work: "link to first synced message", unit: UNIT, value: linked },
        { work, unit: UNIT, value: given },
      ]);
      rounds.note(COPY, [{ work, unit: UNIT, value: await copied(servers[1], bytes) }]);
    }
  } finally {
    for (const server of servers) await server.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

class Home {
  readonly #url: string;
  readonly #folder: string;
  #friend = "";

  constructor(url: string, folder: string) {
    this.#url = url;
    this.#folder = folder;
  }

  /** Who has talked to a friend, and sent some of the files that they talked about. */
  async owner({ messages, files }: HistoryPlan): Promise<Client> {
    const friend = await this.#open("friend");
    const { userId } = await friend.register();
    await friend.close();
    this.#friend = userId;
    const first = await this.#open("owner");
    const own = await first.register();
    const conversation = parseUserId(userId);
    await (await first.conversations.direct(userId)).send("hello");
    await first.close();
    const said = [own.userId, conversation].map((author) => ({ conversation, author }));
    await this.#withVault("owner", (vault) => seed(vault, { own: own.userId, said, count: messages, days: 365 }));
    const owner = await this.#open("owner");
    await owner.connect();
    const chat = await owner.conversations.direct(userId);
    for (let file = 0; file < files; file++) await chat.sendFile(new File([Uint8Array.from(randomBytes(FILE_BYTES))], `${file}.bin`));
    await owner.settled();
    return owner;
  }

  /** In seconds; and how many bytes have travelled. */
  async link(owner: Client, name: string, { files }: HistoryPlan): Promise<{ linked: number; given: number; bytes: number }> {
    await using device = await this.#open(name);
    const start = performance.now();
    const { link = "", digits, done } = await device.devices.requestLink({ name });
    await owner.devices.approveLink(link, { digits: () => digits, history: "all" });
    const approved = performance.now();
    const chat = await owner.conversations.direct(this.#friend);
    const { id } = await chat.send("after");
    await done;
    await device.connect();
    while ((await device.message(id).catch(() => undefined)) === undefined) await sleep(LOOK_AGAIN_MILLISECONDS);
    const linked = performance.now() - start;
    await arrived(device);
    const history = await (await device.conversations.direct(this.#friend)).history({ limit: 2 * files + name.length });
    const attachments = history.flatMap((message) => message.attachments).slice(0, files);
    if (attachments.length !== files) throw new Error(`${attachments.length} files of ${files}`);
    for (const attachment of attachments) await attachment.download();
    const given = performance.now() - approved;
    await device.close();
    const taken = await this.#withVault(name, (vault) => vault.read((records) => records.get(TAKEN_HISTORY)));
    const archive = (taken?.files ?? []).reduce((sum, { size }) => sum + encryptedMediaLength(size), 0);
    return { linked: linked / 1000, given: given / 1000, bytes: archive + files * encryptedMediaLength(FILE_BYTES) };
  }

  #open(name: string): Promise<Client> {
    return createClient({ server: this.#url, store: sqlite(join(this.#folder, `${name}.db`)) });
  }

  async #withVault<T>(name: string, work: (vault: Vault) => Promise<T>): Promise<T> {
    const vault = await Vault.open(sqlite(join(this.#folder, `${name}.db`)), systemRandom);
    try {
      return await work(vault);
    } finally {
      await vault.close();
    }
  }
}

function arrived({ devices }: Client): Promise<void> {
  return new Promise((resolve, reject) => {
    const undo = devices.history.subscribe(([transfer]) => {
      if (transfer?.state === "done") resolve();
      if (transfer?.state === "failed") reject(new Error(transfer.error));
      if (transfer?.state === "done" || transfer?.state === "failed") queueMicrotask(() => undo());
    });
  });
}

async function copied({ url }: BenchServer, bytes: number): Promise<number> {
  const body = Uint8Array.from(randomBytes(bytes));
  const start = performance.now();
  await (await fetch(`${url}/files/history`, { method: "PUT", body })).arrayBuffer();
  const { byteLength } = await (await fetch(`${url}/files/history`)).arrayBuffer();
  if (byteLength !== bytes) throw new Error("not what was put there");
  return (performance.now() - start) / 1000;
}
