// Pictures of people and of groups, by command: set from a file, seen by whom they are for, saved again, and taken away.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { exifSegment, HEIGHT, jpeg, WIDTH } from "../support/pictures/jpeg.ts";
import { exif, MARK } from "../support/pictures/tiff.ts";
import type { Person } from "./person.ts";
import { Town } from "./town.ts";

const town = new Town();
let alice: Person;
let bob: Person;
beforeAll(async () => {
  await town.start();
  [alice, bob] = [await town.citizen("alice"), await town.citizen("bob")];
  await alice.ask("send", "bob", "hello");
  await drain(bob);
  await bob.ask("accept", "alice");
  await drain(alice);
}, 60_000);
afterAll(() => town[Symbol.asyncDispose]());

async function drain(person: Person): Promise<void> {
  await person.list("listen", "--until-empty");
}

/** A photo as a camera leaves it: turned, and with where it was taken. */
const photo = jpeg({ before: [exifSegment(exif(6))] });

function put(name: string, content: Uint8Array | string): string {
  const path = join(town.folder, name);
  writeFileSync(path, content);
  return path;
}

const shown = { id: expect.stringMatching(/^[0-9a-f]{64}$/) as string, mime: "image/jpeg", width: HEIGHT, height: WIDTH };

test("a picture of oneself is seen by contacts, without what the camera wrote into it, until it is taken away", async () => {
  const to = join(town.folder, "alice.jpg");
  expect(await bob.json("avatar", "alice", "-o", to)).toMatchObject({ code: 1, error: { code: "no-picture" } });
  expect(await alice.ask("profile", "--avatar", put("me.jpg", photo))).toEqual({ type: "profile", name: "alice", avatar: shown });
  await drain(bob);
  expect(await bob.ask("avatar", "alice", "-o", to)).toMatchObject({ type: "file", path: to, name: "alice", mime: "image/jpeg" });
  const saved = readFileSync(to);
  expect(saved.includes(MARK)).toBe(false);
  expect(saved.subarray(0, 3).toString("hex")).toBe("ffd8ff");
  // A name leaves the picture.
  expect(await alice.ask("profile", "--name", "Alice L.")).toMatchObject({ name: "Alice L.", avatar: shown });
  expect(await alice.ask("profile", "--no-avatar")).toEqual({ type: "profile", name: "Alice L.", avatar: null });
  await drain(bob);
  expect(await bob.json("avatar", "alice", "-o", to)).toMatchObject({ code: 1, error: { code: "no-picture" } });
  expect(readFileSync(to).equals(saved)).toBe(true);
});

test("a picture of a group is for admins to set, and everybody's to see", async () => {
  const { id } = await alice.ask("group", "create", "Hiking", "bob");
  await drain(bob);
  const picture = put("summit.jpg", photo);
  expect(await bob.json("group", "avatar", "#Hiking", picture)).toMatchObject({ code: 1, error: { code: "not-an-admin" } });
  expect(await alice.ask("group", "avatar", "#Hiking", picture)).toEqual({ type: "ok" });
  await drain(bob);
  expect(await bob.ask("group", "members", String(id))).toMatchObject({ name: "Hiking", avatar: shown });
  const to = join(town.folder, "group.jpg");
  await bob.ask("avatar", "#Hiking", "-o", to);
  expect(readFileSync(to).includes(MARK)).toBe(false);
  expect(await alice.ask("group", "avatar", "#Hiking", "--remove")).toEqual({ type: "ok" });
  await drain(bob);
  expect(await bob.ask("group", "members", "#Hiking")).toMatchObject({ avatar: null });
});

test("what is no picture, is none any more or is too large is refused, and the one of before stays", async () => {
  await alice.ask("profile", "--avatar", put("me.jpg", photo));
  for (const [path, code] of [
    [put("notes.txt", "no picture"), "not-a-picture"],
    [put("half.jpg", photo.subarray(0, 40)), "picture-damaged"],
    [put("nothing.jpg", ""), "not-a-picture"],
    [join(town.folder, "nowhere.jpg"), "file-unreadable"],
  ] as const) {
    expect(await alice.json("profile", "--avatar", path)).toMatchObject({ code: 1, error: { code } });
  }
  expect(await alice.ask("profile")).toMatchObject({ avatar: shown });
});
