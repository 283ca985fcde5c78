// Invites: who has the link's secret may ask, an admin can check it, and an old link opens nothing.

import { Secret, xchachaSeal } from "#crypto";
import { askToJoin, checkJoinRequest, INVITE_SECRET_BYTES, inviteIdOf, openInvite } from "#protocol";
import { type Bytes, concat, copy, decodeJoinRequest, encodeJoinRequest, fromHex, parseGroupId } from "#wire";
import { expect, test } from "vitest";
import { inviteSealKey } from "../../../protocol/group/keys.ts";
import { found, Owner, START } from "../../support/accounts.ts";
import { accepted } from "../../support/devices.ts";
import { forgeEntry, sealedFor } from "../../support/group-forge.ts";
import { Seat, settledTown, type Town } from "../../support/groups.ts";
import { seededRandom } from "../../support/random.ts";

const random = seededRandom(5);
const EXPIRES = START + 1000;

function inviting(seed: number, uses = 2): { readonly town: Town; readonly inviteId: Bytes; readonly secret: Secret } {
  const town = settledTown(seed, 4);
  town.act(town.seat(0), { kind: "invite", uses, expiresSeconds: EXPIRES, approval: true });
  town.catchUpAll();
  const { inviteId } = found(town.seat(0).current.state.invites[0]);
  return { town, inviteId, secret: accepted(openInvite(town.seat(0).current, inviteId)).output };
}

test("every admin can show the link, and no member who is none", () => {
  const { town, inviteId, secret } = inviting(1);
  expect(secret.length).toBe(INVITE_SECRET_BYTES);
  expect(inviteIdOf(secret)).toEqual(inviteId);
  expect(accepted(openInvite(town.seat(1).current, inviteId)).output.expose()).toEqual(secret.expose());
  expect(openInvite(town.seat(2).current, inviteId)).toEqual({ kind: "refused", code: "not-authorized" });
  expect(openInvite(town.seat(1).current, new Uint8Array(16))).toEqual({ kind: "refused", code: "bad-address" });
});

test("whoever has the secret may ask for himself, and is told apart from whoever has not", () => {
  const { town, inviteId, secret } = inviting(2);
  const asking = new Owner(700).userId;
  const admin = town.seat(1).current;
  const request = askToJoin(town.groupId, secret, asking);
  const input = { request, sender: asking, nowSeconds: START };
  expect(accepted(checkJoinRequest(admin, input)).output).toEqual({ userId: asking, inviteId, approval: true });
  expect(checkJoinRequest(town.seat(2).current, input)).toEqual({ kind: "refused", code: "not-authorized" });
  const fields = decodeJoinRequest(request);
  const other = new Owner(701).userId;
  const refused = (code: string): unknown => ({ kind: "refused", code });
  const changed = (change: Partial<typeof fields>): Bytes => encodeJoinRequest({ ...fields, ...change });
  expect(checkJoinRequest(admin, { ...input, sender: other })).toEqual(refused("bad-address"));
  expect(checkJoinRequest(admin, { ...input, sender: other, request: changed({ userId: other }) })).toEqual(refused("bad-signature"));
  expect(checkJoinRequest(admin, { ...input, request: changed({ groupId: parseGroupId("ab".repeat(32)) }) })).toEqual(
    refused("bad-address"),
  );
  expect(checkJoinRequest(admin, { ...input, request: changed({ inviteId: new Uint8Array(16) }) })).toEqual(refused("bad-address"));
  for (let at = 0; at < 32; at++) {
    const proof = copy(fields.proof);
    proof[at] = (proof[at] ?? 0) ^ 1;
    expect(checkJoinRequest(admin, { ...input, request: changed({ proof }) })).toEqual(refused("bad-signature"));
  }
  expect(checkJoinRequest(admin, { ...input, request: request.slice(1) })).toMatchObject({ kind: "refused" });
  expect(checkJoinRequest(admin, { ...input, nowSeconds: EXPIRES })).toEqual(refused("expired"));
  expect(checkJoinRequest(admin, { ...input, nowSeconds: EXPIRES - 1 }).kind).toBe("done");
  const member = town.seat(3).userId;
  const again = { ...input, request: askToJoin(town.groupId, secret, member), sender: member };
  expect(checkJoinRequest(admin, again)).toEqual(refused("duplicate"));
  const guessed = askToJoin(town.groupId, new Secret(random(16)), asking);
  expect(checkJoinRequest(admin, { ...input, request: guessed })).toEqual(refused("bad-address"));
});

test("an invite is used up, and no admin can use it once more", () => {
  const { town, inviteId } = inviting(3, 2);
  const joining = [800, 801, 802].map((seed) => new Seat(new Owner(seed)));
  town.seats.push(...joining);
  const members = joining.map(({ owner }) => owner.account);
  expect(town.author(town.seat(0), { kind: "add", members, inviteId })).toEqual({ kind: "refused", code: "over-limit" });
  town.act(town.seat(0), { kind: "add", members: members.slice(0, 1), inviteId });
  expect(town.seat(0).current.state.invites).toMatchObject([{ uses: 1 }]);
  town.act(town.seat(0), { kind: "add", members: members.slice(1, 2), inviteId });
  expect(town.seat(0).current.state.invites).toEqual([]);
  expect(town.author(town.seat(0), { kind: "add", members: members.slice(2), inviteId })).toEqual({ kind: "refused", code: "bad-address" });
});

test.each(["rotate", "withdraw", "remove"] as const)("after %s an old link is refused", (kind) => {
  const { town, inviteId, secret } = inviting(4);
  const asking = new Owner(700).userId;
  const request = askToJoin(town.groupId, secret, asking);
  const intent = kind === "withdraw" ? { kind, inviteId } : kind === "remove" ? { kind, userIds: [town.seat(3).userId] } : { kind };
  town.act(town.seat(0), intent);
  town.catchUp(town.seat(1));
  for (const admin of [town.seat(0), town.seat(1)]) {
    expect(checkJoinRequest(admin.current, { request, sender: asking, nowSeconds: START })).toEqual({
      kind: "refused",
      code: "bad-address",
    });
  }
});

test("there are so many invites and no more, each once, each for so many", () => {
  const town = settledTown(5, 3);
  const terms = { kind: "invite", uses: 1, expiresSeconds: EXPIRES, approval: false } as const;
  expect(town.author(town.seat(0), { ...terms, uses: 101 })).toEqual({ kind: "refused", code: "over-limit" });
  for (let i = 0; i < 16; i++) town.act(town.seat(0), terms);
  expect(town.author(town.seat(0), terms)).toEqual({ kind: "refused", code: "over-limit" });
  town.catchUpAll();
  const [first, second] = town.seat(2).current.state.invites;
  expect(found(first).inviteId < found(second).inviteId).toBe(true);
  const twice = forgeEntry(town, town.seat(0), { operation: found(first) });
  expect(town.offer(town.seat(2), sealedFor(town, town.seat(0), twice))).toMatchObject({ code: "duplicate", next: "skip" });
});

test("an invite that does not hold what its id says is no link", () => {
  const { town, inviteId } = inviting(6);
  const { sealedSecret } = found(town.seat(0).current.state.invites[0]);
  const other = {
    kind: "invite",
    inviteId: new Uint8Array(16).fill(9),
    sealedSecret,
    uses: 1,
    expiresSeconds: EXPIRES,
    approval: false,
  } as const;
  const entry = sealedFor(town, town.seat(0), forgeEntry(town, town.seat(0), { operation: other }));
  expect(town.offer(town.seat(1), entry).kind).toBe("done");
  expect(openInvite(town.seat(1).current, other.inviteId)).toEqual({ kind: "refused", code: "bad-tag" });
  // Sealed for this very id, and still the secret of another: whoever followed the link would ask in vain.
  const key = inviteSealKey(town.groupId, found(town.seat(1).current.secrets?.adminSecret));
  const wrongId = new Uint8Array(16).fill(8);
  const sealed = xchachaSeal(key, random(16), concat(fromHex(town.groupId), wrongId), random);
  const wrong = sealedFor(
    town,
    town.seat(1),
    forgeEntry(town, town.seat(1), {
      operation: { ...other, inviteId: wrongId, sealedSecret: sealed },
      statement: { version: town.log.length + 2 },
    }),
    town.log.length + 2,
  );
  expect(town.offer(town.seat(1), wrong, town.log.length + 2).kind).toBe("done");
  expect(openInvite(town.seat(1).current, wrongId)).toEqual({ kind: "refused", code: "bad-key" });
  expect(openInvite(town.seat(1).current, inviteId).kind).toBe("done");
});
