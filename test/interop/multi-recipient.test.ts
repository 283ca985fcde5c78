import { describe, expect, test } from "vitest";
import { type KeyPair, keyPairFromPrivate, Secret } from "../../crypto/index.ts";
import { sealForMany } from "../../protocol/index.ts";
import {
  ascii,
  type Bytes,
  copy,
  type DeviceAddress,
  parseDistributionId,
  parseRegistrationId,
  receivedMessage,
  serviceIdOfDevice,
  splitMultiRecipient,
} from "../../wire/index.ts";
import { addressOf } from "../support/devices.ts";
import { type Library, LIBRARIES } from "./library.ts";
import { Ours } from "./ours.ts";
import { isRefused } from "./party.ts";
import { Peer } from "./peer.ts";
import { theirsSealForMany, theirsSplit } from "./sealed-peer.ts";
import { ALICE, BOB, flipped, SealedWorld } from "./sealed-world.ts";

const HUNDRED = Array.from({ length: 100 }, (_, i) => i);
const GROUP_ID = ascii("a group of a hundred");
const IMPLICIT = 2 as const;

/** A device with one identity in both implementations. */
interface Member {
  readonly address: DeviceAddress;
  readonly registrationId: number;
  readonly identity: KeyPair;
  readonly peer: Peer;
}

/** Some of them are devices of one account. */
function member(library: Library, number: number): Member {
  const address = addressOf(10 + Math.floor(number / 3), 1 + (number % 3));
  const registrationId = 16_383 - 100 * number;
  const peer = new Peer(library, address, registrationId);
  return { address, registrationId, peer, identity: keyPairFromPrivate(new Secret(copy(peer.identity.serialize()))) };
}

/** The parts of a message as both split it, which must be the same. */
function splitByBoth(peer: Peer, sent: Bytes): ReadonlyMap<string, Bytes> {
  const ours = splitMultiRecipient(sent);
  const theirs = theirsSplit(peer, sent);
  const received = new Map<string, Bytes>(ours.recipients.map((recipient) => [recipient.serviceId, receivedMessage(ours, recipient)]));
  expect(received).toEqual(theirs.received);
  const devices = new Map(
    ours.recipients.map(({ serviceId, registrationId }) => [
      serviceId as string,
      { deviceIds: [Number.parseInt(serviceId.slice(-2), 16)], registrationIds: [registrationId as number] },
    ]),
  );
  expect(devices).toEqual(theirs.devices);
  expect(ours.excluded.toSorted()).toEqual([...theirs.excluded].toSorted());
  return received;
}

function partOf(parts: ReadonlyMap<string, Bytes>, address: DeviceAddress): Bytes {
  const part = parts.get(serviceIdOfDevice(address));
  if (part === undefined) throw new RangeError("nothing for this device");
  return part;
}

describe.each(LIBRARIES)("sealed sender, version 2, with $version", (library) => {
  test.each([1, 2])("ours to a hundred devices is split and opened by both (%i)", async (seed) => {
    const world = new SealedWorld(library, seed);
    const members = HUNDRED.map((number) => member(library, number));
    const recipients = members.map(({ address, registrationId, identity }) => ({
      address,
      registrationId: parseRegistrationId(registrationId),
      identityKey: identity.publicKey,
    }));
    const content = ascii("stands for a sender-key message");
    const sealable = { ...world.sealable(content), kind: "sender-key" as const, contentHint: IMPLICIT, groupId: GROUP_ID };
    const parts = splitByBoth(world.theirs, sealForMany({ ...sealable, recipients }, world.random));
    expect(parts.size).toBe(100);
    for (const { address, identity, peer } of members) {
      const part = partOf(parts, address);
      const byOurs = world.oursOpen(identity, part);
      const byTheirs = await world.theirsOpen(peer, part);
      expect(byTheirs).toEqual({
        sender: serviceIdOfDevice(byOurs.sender),
        deviceId: byOurs.sender.deviceId,
        senderKey: byOurs.identityKey.encode(),
        contentKind: byOurs.contentKind,
        content: copy(byOurs.content),
        contentHint: byOurs.contentHint,
        groupId: GROUP_ID,
      });
      expect(byTheirs.content).toEqual(content);
    }
  });

  test.each([3, 4])("theirs to a hundred devices of ours is split by both and opened by ours (%i)", async (seed) => {
    const world = new SealedWorld(library, seed);
    const { theirs } = world;
    const members = HUNDRED.map((number) => new Ours(member(library, number).address, world.random, 1 + number));
    for (const device of members) await theirs.begin(device.address, device.bundle("without one-time prekeys"));
    const distribution = parseDistributionId("d1d1d1d1-7000-4000-8000-0123456789ab");
    await theirs.distribute(distribution);
    const message = await theirs.sealForGroupAsObject(distribution, ascii("hello, group"));
    const certificate = world.theirsCertificate();
    const content = { certificate, message, contentHint: IMPLICIT, groupId: GROUP_ID };
    const addresses = members.map((device) => device.address);
    const parts = splitByBoth(theirs, await theirsSealForMany(theirs, addresses, content, [ALICE]));
    expect(parts.size).toBe(100);
    for (const device of members) {
      const opened = world.oursOpen(device.identity, partOf(parts, device.address));
      expect(opened).toMatchObject({ sender: BOB, contentKind: "sender-key", contentHint: IMPLICIT, groupId: GROUP_ID });
      expect(copy(opened.content)).toEqual(copy(message.serialize()));
    }
  });

  test("a part is opened by its device alone, and not at all when it is altered", async () => {
    const world = new SealedWorld(library, 6);
    const [first, second] = [member(library, 1), member(library, 2)];
    const recipients = [first, second].map(({ address, registrationId, identity }) => ({
      address,
      registrationId: parseRegistrationId(registrationId),
      identityKey: identity.publicKey,
    }));
    const parts = splitByBoth(world.theirs, sealForMany({ ...world.sealable(ascii("hello")), recipients }, world.random));
    const part = partOf(parts, first.address);
    expect(() => world.oursOpen(second.identity, part)).toThrow("refused");
    expect(await isRefused(() => world.theirsOpen(second.peer, part))).toBe(true);
    for (let position = 0; position < part.length; position++) {
      expect(() => world.oursOpen(first.identity, flipped(part, position)), `byte ${position}`).toThrow("refused");
    }
    // Of the version byte theirs reads the high half, and nothing authenticates the rest.
    for (let position = 1; position < part.length; position++) {
      expect(await isRefused(() => world.theirsOpen(first.peer, flipped(part, position))), `byte ${position}`).toBe(true);
    }
  });
});
