// Files over HTTP: every route of them, what it answers, and what the bucket holds afterwards.

import { expect, test, beforeAll } from "vitest";
import { openWorld, Person, type World } from "./support/world.ts";
import { LARGE, noise, Uploader } from "./support/files.ts";

let world: World;
let alice: Uploader;

beforeAll(async () => {
  world = await openWorld();
  alice = new Uploader(world, await (await new Person(world, 1).register()).token());
});

test("a file that comes in pieces is read as it was", async () => {
  const file = noise(LARGE);
  const uploadId = await alice.create(LARGE);
  let offset = 0;
  for (const end of [1, 1000, 3_000_000, 9_000_000, LARGE]) {
    const response = await alice.append(uploadId, offset, file.slice(offset, end));
    expect([response.status, response.headers.get("upload-offset")]).toEqual([204, String(end)]);
    expect(await alice.offset(uploadId)).toBe(end);
    offset = end;
  }
  expect(await alice.read(uploadId)).toEqual(file);
});
