// Linking between two honest devices, by code and by request, and everything that ends it.

import { activeDevice, checkPreKeyUpload, readAccountLog } from "#identity";
import { openAnswer, welcomeDevice } from "#protocol";
import { MAX_LINK_BLOB_BYTES } from "#wire";
import { describe, expect, test } from "vitest";
import { done, NAME, Pair } from "./pairing.ts";

const WELCOME = {
  username: undefined,
  profileName: "Ann",
  readReceipts: true,
  typing: false,
  presence: true,
  trustRoots: [],
  archive: undefined,
};

describe.each(["code", "request"] as const)("by %s", (kind) => {
  test("the new device shows the digits that the active one accepts, and is in the log", () => {
    const pair = new Pair(1, kind);
    const newcomer = pair.begin();
    const offered = pair.offer(pair.ticketOf(newcomer), newcomer.ticket.commitment);
    const met = pair.meet(newcomer, offered.output);
    const revealed = pair.reveal(met.state);
    const asked = pair.asked(offered.state, revealed.blob);
    expect(asked.output.name).toBe(NAME);
    expect(revealed.digits).toMatch(/^\d{6}$/);
    const sure = pair.sure(asked.state, revealed.digits);
    const { entry, preKeys } = pair.add(sure);
    const { userId, now } = pair.owner;
    const account = readAccountLog([...pair.owner.entries, entry], { userId, nowSeconds: now });
    const { deviceId } = met.output;
    expect(activeDevice(account, deviceId)?.identityKey.equals(sure.device.identityKey)).toBe(true);
    const record = checkPreKeyUpload(preKeys ?? { set: undefined, oneTimePreKeys: [] }, { account, deviceId, nowSeconds: now });
    expect(record?.deviceId).toBe(deviceId);
    const welcomed = welcomeDevice(sure, { ...WELCOME, head: account.head }, pair.random);
    const answer = done(openAnswer(revealed.state, welcomed.blob, now)).output;
    expect(answer).toEqual({ kind: "welcome", ...WELCOME, head: account.head });
    for (const blob of [offered.output, revealed.blob, welcomed.blob]) expect(blob.length).toBeLessThanOrEqual(MAX_LINK_BLOB_BYTES);
  });
});
