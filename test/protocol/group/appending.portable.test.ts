// What is authored is what the server takes: signed by the keys of the epoch that the entry finds, with the keys of the one it begins.

import { checkGroupAppend, signGroupAppend } from "#identity";
import { adminKeyPair, type AuthoredEntry, createGroup, type GroupIntent, type GroupRecord, memberKeyPair } from "#protocol";
import { type Bytes, decodeGroupAppend, encodeGroupAppend, type GroupAppend, toHex } from "#wire";
import { expect, test } from "vitest";
import { found, Owner } from "../../support/accounts.ts";
import { accepted } from "../../support/devices.ts";
import { Seat, settledTown } from "../../support/groups.ts";
import { seededRandom } from "../../support/random.ts";

const ORIGIN = "https://chat.example.org";

/** As a client sends it: signed by the keys of a record, checked as the server checks it. */
function appendOf(entry: AuthoredEntry, { secrets }: GroupRecord): GroupAppend {
  const { groupId, version, ciphertext, newKeys } = entry;
  const keys = newKeys && { memberKey: newKeys.memberKey.encode(), adminKey: newKeys.adminKey.encode() };
  const authority = entry.authority === "admin" ? ({ kind: "admin", keys } as const) : ({ kind: "member" } as const);
  const pair = (entry.authority === "admin" ? adminKeyPair : memberKeyPair)(groupId, found(secrets));
  const append = signGroupAppend({ origin: ORIGIN, groupId }, { version, entry: ciphertext, authority }, pair);
  const received = decodeGroupAppend(encodeGroupAppend(append));
  checkGroupAppend({ origin: ORIGIN, groupId }, received);
  return received;
}

function hexOf(keys: GroupAppend["authority"]): readonly string[] {
  return keys.kind === "admin" && keys.keys !== undefined ? [keys.keys.memberKey, keys.keys.adminKey].map((key: Bytes) => toHex(key)) : [];
}

test("the first entry is signed by the admin key that it brings", () => {
  const founder = new Seat(new Owner(1));
  const { state, output } = accepted(createGroup({ title: "Book club", ...founder.asAuthor() }, seededRandom(1)));
  const append = appendOf(output, state);
  expect(hexOf(append.authority)[1]).toBe(toHex(append.signer));
});

test("each entry is signed by the epoch that it finds and brings the keys of the one that it begins", () => {
  const town = settledTown(2, 4);
  const step = (seat: Seat, intent: GroupIntent): GroupAppend => {
    const { output, state } = accepted(town.author(seat, intent));
    const append = appendOf(output, seat.current);
    if (hexOf(append.authority).length > 0) {
      const next = [memberKeyPair(town.groupId, found(state.secrets)), adminKeyPair(town.groupId, found(state.secrets))];
      expect(hexOf(append.authority)).toEqual(next.map(({ publicKey }) => toHex(publicKey.encode())));
      expect(hexOf(append.authority)).not.toContain(toHex(append.signer));
    }
    return append;
  };
  const admin = town.seat(0);
  for (const intent of [
    { kind: "rotate" },
    { kind: "remove", userIds: [town.seat(3).userId] },
    { kind: "demote", userId: town.seat(1).userId },
  ] as const) {
    expect(hexOf(step(admin, intent).authority).length).toBe(2);
  }
  for (const intent of [{ kind: "rename", title: "x" }, { kind: "promote", userId: town.seat(2).userId }, { kind: "leave" }] as const) {
    expect(step(admin, intent).authority).toEqual({ kind: "admin", keys: undefined });
  }
  expect(step(town.seat(2), { kind: "leave" }).authority).toEqual({ kind: "member" });
});
