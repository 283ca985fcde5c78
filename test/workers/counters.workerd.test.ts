import { expect, test } from "vitest";
import { systemRandom } from "#crypto";
import { type Operation, PROBLEM_STATUS, type ProblemCode } from "#wire";
import { Counters } from "../../workers/gateway/counters.ts";
import { SERVED } from "../../workers/gateway/served.ts";
import { openWorld, Person } from "./support/world.ts";

interface Point {
  readonly indexes?: unknown;
  readonly blobs?: unknown;
  readonly doubles?: unknown;
}

function dataset(): AnalyticsEngineDataset & { readonly points: Point[] } {
  const points: Point[] = [];
  return { points, writeDataPoint: (point) => void points.push(point ?? {}) };
}

test("what is counted are names of operations and codes, whoever asked for what", async () => {
  const counts = dataset();
  const world = await openWorld({ COUNTERS: counts });
  const alice = await new Person(world, 901).register();
  const token = await alice.token();
  const stranger = "00000000-0000-8000-8000-000000000000";
  for (let i = 0; i < 150; i++) {
    await world.ask("getCertificate", { token });
    await world.ask("getLog", { parameters: { userId: alice.userId }, token });
    await world.ask("getKeyCounts", { token: `${token.slice(0, -4)}AAAA` });
    await world.ask("createToken", { json: { userId: stranger, deviceId: 1, nonce: "AAAA", signature: "AAAA" } });
    await world.ask("sendMessages", { parameters: { userId: stranger }, token, protobuf: new Uint8Array(3) });
  }
  expect(counts.points.length).toBeGreaterThan(0);
  const codes: readonly (ProblemCode | "ok")[] = ["ok", ...(Object.keys(PROBLEM_STATUS) as ProblemCode[])]; // its keys are the codes
  for (const point of counts.points) {
    expect(Object.keys(point).toSorted()).toEqual(["blobs", "doubles", "indexes"]);
    expect(SERVED.map((name): readonly Operation[] => [name])).toContainEqual(point.indexes);
    expect(codes.map((code) => [code])).toContainEqual(point.blobs);
  }
});

test("about one answer in a hundred is counted, for the others too", () => {
  const counts = dataset();
  const counters = new Counters(counts, systemRandom);
  for (let i = 0; i < 20_000; i++) counters.count("getHealth", "ok");
  const total = counts.points.reduce((sum, { doubles }) => sum + Number((doubles as number[])[0]), 0); // written by Counters
  expect(counts.points.length).toBeLessThan(600);
  expect(total).toBeGreaterThan(10_000);
  expect(total).toBeLessThan(30_000);
});

test("a counter that fails, or none, refuses nobody", () => {
  const broken: AnalyticsEngineDataset = {
    writeDataPoint() {
      throw new Error("no dataset");
    },
  };
  const always = (length: number): Uint8Array<ArrayBuffer> => new Uint8Array(length);
  expect(() => new Counters(broken, always).count("getHealth", "ok")).not.toThrow();
  expect(() => new Counters(undefined, always).count("getHealth", "internal")).not.toThrow();
});
