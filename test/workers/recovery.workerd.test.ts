// Whoever has lost every device and kept the recovery key reads the account's log and puts a new device in the place of all; nobody
// else learns anything there.

import { beforeAll, expect, test } from "vitest";
import { base64url } from "jose";
import type { KeyPair } from "#crypto";
import { proveRecoveryKey } from "#identity";
import { type Bytes, decodeAccountLog, encodeAppendLog, RECOVERY_SCHEME, type UserId } from "#wire";
import { found } from "../support/accounts.ts";
import { type Asking, codeOf, nowSeconds, openWorld, ORIGIN, Person, type World } from "./support/world.ts";

let world: World;
let owner: Person;
let key: KeyPair;
let nobody: Person;
beforeAll(async () => {
  world = await openWorld();
  owner = await new Person(world, 71).register();
  nobody = new Person(world, 72);
  const token = await owner.token();
  key = owner.owner.nameKey(undefined);
  const protobuf = encodeAppendLog({ entry: found(owner.owner.entries.at(-1)), preKeys: undefined });
  const answer = await world.ask("appendLog", { parameters: { userId: owner.userId }, token, protobuf });
  if (answer.status !== 200) throw new Error(await answer.text());
});

interface Proving {
  readonly userId?: UserId;
  readonly origin?: string;
  readonly by?: KeyPair;
  readonly atSeconds?: number;
}

function asking({ userId = owner.userId, origin = ORIGIN, by = key, atSeconds = nowSeconds() }: Proving = {}): Asking {
  const proof = proveRecoveryKey({ origin, userId }, by.privateKey, atSeconds, owner.owner.random);
  return { parameters: { userId: owner.userId }, headers: { authorization: `${RECOVERY_SCHEME} ${base64url.encode(proof)}` } };
}

async function readLog(after = 0): Promise<readonly Bytes[]> {
  const response = await world.ask("getRecoveryLog", { ...asking(), query: `?after=${after}` });
  expect(response.status).toBe(200);
  return decodeAccountLog(new Uint8Array(await response.arrayBuffer())).entries;
}

test("the recovery key reads the log", async () => {
  expect(await readLog()).toEqual(owner.owner.entries);
  expect(await readLog(1)).toEqual(owner.owner.entries.slice(1));
  expect(await readLog(2)).toEqual([]);
});

test("another key, another server's proof, another account's, an old one, and one for nobody are one refusal", async () => {
  const other = owner.owner.devices[0]?.identity;
  const wrong: readonly Asking[] = [
    asking({ by: found(other) }),
    asking({ origin: "https://elsewhere.test" }),
    asking({ userId: nobody.userId }),
    asking({ atSeconds: nowSeconds() - 3600 }),
    asking({ atSeconds: nowSeconds() + 3600 }),
    { ...asking(), parameters: { userId: nobody.userId } },
    { parameters: { userId: owner.userId } },
    { parameters: { userId: owner.userId }, headers: { authorization: `${RECOVERY_SCHEME} ${"A".repeat(91)}` } },
  ];
  for (const one of wrong) {
    for (const operation of ["getRecoveryLog", "recoverAccount"] as const) {
      expect(await codeOf(await world.ask(operation, one))).toBe("not-found");
    }
  }
});

test("with the key in hand no entry but a recovery is taken", async () => {
  const second = owner.owner.add();
  const added = { entry: found(owner.owner.entries.pop()), preKeys: owner.preKeysOf(second, [1], []) };
  owner.owner.states.pop();
  owner.owner.devices.pop();
  const response = await world.ask("recoverAccount", { ...asking(), protobuf: encodeAppendLog(added) });
  expect(await codeOf(response)).toBe("malformed");
  expect(await readLog()).toHaveLength(2);
});

test("the recovery key puts a new device in the place of all, and a repeat is answered the same", async () => {
  const token = await owner.token();
  const device = owner.owner.recover(key);
  const protobuf = encodeAppendLog({ entry: found(owner.owner.entries.at(-1)), preKeys: owner.preKeysOf(device, [1], []) });
  for (let i = 0; i < 2; i++) expect((await world.ask("recoverAccount", { ...asking(), protobuf })).status).toBe(200);
  expect(await readLog()).toEqual(owner.owner.entries);
  world.aheadSeconds += 31;
  expect((await world.ask("getCertificate", { token })).status).toBe(401);
  expect((await world.ask("getCertificate", { token: await owner.token(device) })).status).toBe(200);
});

test("an entry that loses its place to another is a conflict", async () => {
  const device = owner.owner.recover(key);
  const entry = found(owner.owner.entries.pop());
  owner.owner.states.pop();
  const before = encodeAppendLog({ entry, preKeys: owner.preKeysOf(device, [1], []) });
  const faster = owner.owner.recover(key);
  const protobuf = encodeAppendLog({ entry: found(owner.owner.entries.at(-1)), preKeys: owner.preKeysOf(faster, [1], []) });
  expect((await world.ask("recoverAccount", { ...asking(), protobuf })).status).toBe(200);
  expect(await codeOf(await world.ask("recoverAccount", { ...asking(), protobuf: before }))).toBe("log-conflict");
});
