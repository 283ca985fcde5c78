// The log of an account whose devices write at once: each from what it last saw, and a server that takes one of them for each place.
// Whatever they do, one line comes out of it, and everybody who reads on from where they stopped gets to the same account.

import { type Backend, useBackend } from "#crypto";
import {
  acceptDevice,
  type AccountState,
  activeDevice,
  addDevice,
  compareHeads,
  createGenesis,
  deleteAccount,
  describeDevice,
  extendAccount,
  nextDeviceId,
  type OwnDevice,
  proposeDevice,
  readAccountLog,
  revokeDevice,
  userIdOfGenesis,
} from "#identity";
import { type Bytes, decodeLogEntry, MAX_DEVICES_PER_ACCOUNT, ProtocolError } from "#wire";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { nodeBackend } from "../../crypto/node.ts";
import { ownDevice, START } from "../support/accounts.ts";
import { codeOf, verdictOf } from "../support/codes.ts";
import { type Dice, seededDice, seededRandom } from "../support/random.ts";

let verifications = 0;
const counting: Backend = {
  ...nodeBackend,
  ed25519Verify(publicKey, message, signature) {
    verifications++;
    return nodeBackend.ed25519Verify(publicKey, message, signature);
  },
};
let before: Backend;
beforeAll(() => {
  before = useBackend(counting);
});
afterAll(() => {
  useBackend(before);
});

/** One device, with the log as it last read it. */
interface Reader {
  readonly own: OwnDevice;
  entries: readonly Bytes[];
  account: AccountState;
}

/** What several devices wrote, and what of it a server took. */
class History {
  readonly dice: Dice;
  readonly random: ReturnType<typeof seededRandom>;
  readonly canEnd: boolean;
  readonly entries: Bytes[];
  readonly readers: Reader[];
  /** What the server did not take. */
  readonly refused: Bytes[] = [];
  now = START;
  #account: AccountState;

  /** @param canEnd whether a device may also delete the account */
  constructor(seed: number, canEnd = false) {
    this.canEnd = canEnd;
    this.dice = seededDice(seed);
    this.random = seededRandom(seed);
    const own = ownDevice(this.random);
    const genesis = createGenesis({ device: own, nowSeconds: this.now }, this.random);
    this.entries = [genesis];
    this.#account = readAccountLog(this.entries, { userId: userIdOfGenesis(genesis), nowSeconds: this.now });
    this.readers = [{ own, entries: this.entries.slice(), account: this.#account }];
  }

  get account(): AccountState {
    return this.#account;
  }

  /** Everybody writes on top of what they know, and the server takes what comes first. */
  round(): void {
    this.now += 60;
    const writers = this.readers.filter(() => this.dice.chance(0.7));
    const written = writers.flatMap((reader) => this.#write(reader));
    while (written.length > 0) {
      const [next] = written.splice(this.dice.roll(written.length), 1);
      if (next !== undefined) this.#offer(next);
    }
    for (const reader of this.readers) if (this.dice.chance(0.5)) this.read(reader);
  }

  /** From where the reader stopped. */
  read(reader: Reader): void {
    const verified = reader.account.head;
    reader.entries = this.entries.slice();
    reader.account = readAccountLog(reader.entries, { userId: this.#account.userId, nowSeconds: this.now, verified });
  }

  #write({ own: signer, account }: Reader): readonly Written[] {
    if (activeDevice(account, signer.deviceId) === undefined) return [];
    const nowSeconds = this.now;
    if (this.canEnd && this.dice.chance(0.2)) {
      return [{ entry: deleteAccount(account, { signer, nowSeconds }, this.random), newcomer: undefined }];
    }
    if (account.devices.length > 1 && this.dice.chance(0.4)) {
      const { deviceId } = this.dice.pick(account.devices);
      return [{ entry: revokeDevice(account, { deviceId, signer, nowSeconds }, this.random), newcomer: undefined }];
    }
    if (account.devices.length >= MAX_DEVICES_PER_ACCOUNT) return [];
    const newcomer = ownDevice(this.random, nextDeviceId(account));
    const device = describeDevice(newcomer);
    const proposal = proposeDevice(account, { device, signer: signer.deviceId, nowSeconds });
    const countersignature = acceptDevice({ proposal, userId: account.userId, device: newcomer }, this.random);
    return [{ entry: addDevice(account, { proposal, device, countersignature, signer, nowSeconds }, this.random), newcomer }];
  }

  #offer({ entry, newcomer }: Written): void {
    try {
      this.#account = extendAccount(this.#account, entry, this.now);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.refused.push(entry);
      return;
    }
    this.entries.push(entry);
    if (newcomer !== undefined) this.readers.push({ own: newcomer, entries: this.entries.slice(), account: this.#account });
  }
}

interface Written {
  readonly entry: Bytes;
  readonly newcomer: OwnDevice | undefined;
}

const anyHistory = fc.record({ seed: fc.nat(), rounds: fc.integer({ min: 3, max: 8 }) }).map(({ seed, rounds }) => {
  const history = new History(seed);
  for (let round = 0; round < rounds; round++) history.round();
  return history;
});

test("whatever several devices write at once, one line comes out, and all who read on get to the same account", () => {
  let contested = 0;
  fc.assert(
    fc.property(anyHistory, (history) => {
      contested += history.refused.length;
      for (const reader of history.readers) {
        // Nobody has seen what is not in the one line.
        expect(compareHeads(reader.account.head, history.entries).kind).not.toBe("fork");
        history.read(reader);
        expect(reader.account).toEqual(history.account);
      }
      const nowSeconds = history.now;
      expect(readAccountLog(history.entries, { userId: history.account.userId, nowSeconds })).toEqual(history.account);
    }),
    { numRuns: 30, seed: 1 },
  );
  expect(contested).toBeGreaterThan(20);
});

test("what lost its place is refused in every other place, and a log that has it in place of what won is a fork", () => {
  let forks = 0;
  fc.assert(
    fc.property(
      anyHistory.filter(({ refused }) => refused.length > 0),
      ({ refused, entries, account, now, dice }) => {
        const { userId } = account;
        const lost = dice.pick(refused);
        expect(codeOf(() => extendAccount(account, lost, now))).toMatch(/^[a-z-]+$/);
        for (let at = 1; at < entries.length; at++) {
          const other = [...entries.slice(0, at), lost];
          const read = verdictOf(() => readAccountLog(other, { userId, nowSeconds: now }));
          // Only where it was written for, and then it is another history to all who have seen the one.
          if (read.kind === "accepted") forks++;
          if (read.kind === "accepted") expect(compareHeads(account.head, other).kind).toMatch(/fork|rollback/);
          const verified = account.head;
          expect(codeOf(() => readAccountLog(other, { userId, nowSeconds: now, verified }))).toBe("broken-chain");
        }
      },
    ),
    { numRuns: 20, seed: 2 },
  );
  expect(forks).toBeGreaterThan(10);
});

test("whoever reads on verifies what is new and nothing else", () => {
  fc.assert(
    fc.property(anyHistory, (history) => {
      const { entries, now, account } = history;
      for (let known = 1; known <= entries.length; known++) {
        const early = readAccountLog(entries.slice(0, known), { userId: account.userId, nowSeconds: now });
        verifications = 0;
        const read = readAccountLog(entries, { userId: account.userId, nowSeconds: now, verified: early.head });
        const added = entries.slice(known);
        const verified = verifications;
        // Each entry has one signature, and one more of whoever joins.
        const joins = added.filter((entry) => decodeLogEntry(entry).countersignature !== undefined).length;
        expect(verified).toBe(added.length + joins);
        expect(read).toEqual(account);
      }
    }),
    { numRuns: 8, seed: 3 },
  );
});

test("an account that is deleted while others link and revoke ends in one line, and nothing that anybody wrote comes behind it", () => {
  let ended = 0;
  let late = 0;
  const endings = fc.record({ seed: fc.nat(), rounds: fc.integer({ min: 2, max: 6 }) }).map(({ seed, rounds }) => {
    const history = new History(seed, true);
    for (let round = 0; round < rounds; round++) history.round();
    return history;
  });
  fc.assert(
    fc.property(endings, (history) => {
      const { account, entries, refused, now } = history;
      for (const reader of history.readers) {
        history.read(reader);
        expect(reader.account).toEqual(account);
      }
      if (account.deletedSeconds === undefined) return;
      ended++;
      late += refused.length;
      expect(account.devices).toEqual([]);
      expect(account.head.length).toBe(entries.length);
      for (const entry of [...refused, ...entries]) expect(codeOf(() => extendAccount(account, entry, now))).toBe("not-authorized");
      // It is the last entry and no other that has ended it.
      const open = readAccountLog(entries.slice(0, -1), { userId: account.userId, nowSeconds: now });
      expect(open.deletedSeconds).toBeUndefined();
    }),
    { numRuns: 30, seed: 4 },
  );
  expect(ended).toBeGreaterThan(10);
  expect(late).toBeGreaterThan(10);
});
