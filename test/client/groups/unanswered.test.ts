// A change of a group whose answer never comes: the server has it, and its author finds out without being told by anybody.

import { afterAll, beforeAll, expect, test } from "vitest";
import type { Network } from "#client";
import { platformNetwork } from "../../../client/transport/platform.ts";
import { groupOf, HOOK_MILLISECONDS, membersOf, newcomer, PATIENCE, Place } from "./people.ts";

const place = new Place();
beforeAll(() => place.start(), HOOK_MILLISECONDS);
afterAll(() => place.close(), HOOK_MILLISECONDS);

test("who removes somebody learns that it is done, also when the server's answer was lost", { timeout: 180_000 }, async () => {
  let isLosing = false;
  const losing: Network = {
    ...platformNetwork,
    async request(request) {
      const response = await platformNetwork.request(request);
      const isAppend = request.method === "POST" && request.url.includes("/groups/");
      if (isLosing && isAppend) throw new TypeError("no answer");
      return response;
    },
  };
  await using alice = await newcomer(place.url, "alice", { network: losing });
  await using bob = await newcomer(place.url, "bob");
  const id = await groupOf([alice, bob], "Unanswered");
  isLosing = true;
  const group = await alice.client.conversations.group(id);
  await expect(group.remove([bob.userId])).rejects.toMatchObject({ code: "offline" });
  isLosing = false;
  await expect.poll(() => membersOf(alice, id), PATIENCE).toEqual([alice.userId]);
});
