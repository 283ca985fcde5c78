// Invite links through the command line, as processes.

import { afterAll, beforeAll, expect, test } from "vitest";
import { Town } from "./town.ts";

const town = new Town();
beforeAll(() => town.start());
afterAll(() => town[Symbol.asyncDispose]());

test("an admin makes a link, somebody asks by it, the admin agrees, and both talk", async () => {
  const [alice, dave] = [await town.citizen("alice"), await town.citizen("dave")];
  await town.citizen("bob");
  const daveId = String((await dave.ask("whoami"))["userId"]);
  const made = await alice.ask("group", "create", "Hiking", "bob");
  const { type, link } = await alice.ask("group", "invite", "#Hiking", "--uses", "2", "--expires", "12h");
  expect(type).toBe("invite");
  expect(await dave.ask("group", "join", String(link))).toEqual({ type: "ok" });
  const asked = await alice.list("listen", "--until-empty");
  expect(asked).toContainEqual(expect.objectContaining({ type: "notice", kind: "join-asked", from: daveId, conversation: made["id"] }));
  expect(await alice.ask("group", "approve", "#Hiking", "dave")).toEqual({ type: "ok" });
  const joined = await dave.list("listen", "--until-empty");
  expect(joined).toContainEqual(
    expect.objectContaining({ type: "notice", kind: "group-changed", reason: "joined", conversation: made["id"] }),
  );
  expect(await dave.ask("send", "#Hiking", "thanks")).toMatchObject({ type: "sent", conversation: made["id"] });
  const heard = await alice.list("listen", "--until-empty");
  expect(heard).toContainEqual(expect.objectContaining({ type: "message", conversation: made["id"], from: daveId, text: "thanks" }));
});

test("what is no link, no time, or nobody's wish is refused", async () => {
  const [alice, bob] = [await town.citizen("anna"), await town.citizen("bert")];
  await alice.ask("group", "create", "Closed", "bert");
  expect(await bob.json("group", "join", "edgewise:group/none")).toMatchObject({ code: 2, error: { code: "bad-argument" } });
  expect(await alice.json("group", "invite", "#Closed", "--expires", "soon")).toMatchObject({ code: 2 });
  expect(await alice.json("group", "approve", "#Closed", "bert")).toMatchObject({ code: 1, error: { code: "nobody-asked" } });
  await bob.list("listen", "--until-empty");
  await bob.ask("accept", "anna");
  expect(await bob.json("group", "invite", "#Closed")).toMatchObject({ code: 1, error: { code: "not-an-admin" } });
});
