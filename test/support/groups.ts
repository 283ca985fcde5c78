// A group for tests: people with accounts, the server's log of ciphertexts with its compare-and-set, and what each person's device
// keeps. The server here does no more than the real one can: it knows places and ciphertexts.

import {
  type AppliedOperation,
  type AuthoredEntry,
  type AuthorGroupEntry,
  authorGroupEntry,
  createGroup,
  encodeGroupRecord,
  type GroupIntent,
  type GroupRead,
  type GroupRecord,
  joinGroup,
  type KeyOf,
  type Outcome,
  openGroupEntry,
  readGroupEntry,
  stateHashOf,
} from "#protocol";
import { activeDevice, type OwnDevice } from "#identity";
import { Secret } from "#crypto";
import { type Bytes, copy, type GroupId, sameBytes, toHex, type UserId } from "#wire";
import { found, Owner } from "./accounts.ts";
import { accepted } from "./devices.ts";
import { seededRandom } from "./random.ts";

/** One device of one person, and its view of the group. */
export class Seat {
  readonly owner: Owner;
  readonly device: OwnDevice;
  record: GroupRecord | undefined;
  /** Places read. */
  read = 0;
  /** Why this device reads no further. */
  stopped: string | undefined;
  readonly skipped: string[] = [];

  constructor(owner: Owner, device: OwnDevice = owner.first) {
    this.owner = owner;
    this.device = device;
  }

  get userId(): UserId {
    return this.owner.userId;
  }

  get current(): GroupRecord {
    return found(this.record);
  }

  /** What identifies the whole record, secrets included. */
  get bytes(): string {
    return toHex(encodeGroupRecord(this.current));
  }

  get hash(): string {
    return toHex(stateHashOf(this.current.state));
  }

  asGroupDevice(): { address: { userId: UserId; deviceId: OwnDevice["deviceId"] }; identity: OwnDevice["identity"] } {
    return { address: { userId: this.userId, deviceId: this.device.deviceId }, identity: this.device.identity };
  }

  asAuthor(): ReturnType<Author> {
    return { device: this.asGroupDevice(), head: this.owner.account.head, nowSeconds: this.owner.now };
  }
}

type Author = () => { device: ReturnType<Seat["asGroupDevice"]>; head: Owner["account"]["head"]; nowSeconds: number };

export class Town {
  readonly random;
  readonly seats: Seat[] = [];
  /** Ciphertexts by place, from 1. */
  readonly log: Bytes[] = [];
  groupId: GroupId;

  /** People, of whom the first has made the group. */
  constructor(seed: number, people: number) {
    this.random = seededRandom(seed);
    for (let i = 0; i < people; i++) this.seats.push(new Seat(new Owner(seed * 1000 + i + 1)));
    const creator = found(this.seats[0]);
    const { state, output } = accepted(createGroup({ title: "Book club", ...creator.asAuthor() }, this.random));
    creator.record = state;
    creator.read = 1;
    this.groupId = output.groupId;
    this.log.push(output.ciphertext);
  }

  seat(at: number): Seat {
    return found(this.seats[at]);
  }

  readonly keyOf: KeyOf = ({ userId, deviceId }, head) => {
    const owner = this.seats.find((seat) => seat.userId === userId)?.owner;
    const account = owner?.states[head.length - 1];
    return account !== undefined && sameBytes(account.head.hash, head.hash) ? activeDevice(account, deviceId)?.identityKey : undefined;
  };

  /** The entry alone: nothing is appended and nothing committed. */
  author(seat: Seat, intent: GroupIntent, version = this.log.length + 1): Outcome<GroupRecord, AuthoredEntry> {
    return this.authorWith(seat, intent, (userId) => this.seats.find((other) => other.userId === userId)?.owner.account, version);
  }

  authorWith(
    seat: Seat,
    intent: GroupIntent,
    accountOf: AuthorGroupEntry["accountOf"],
    version = this.log.length + 1,
  ): Outcome<GroupRecord, AuthoredEntry> {
    return authorGroupEntry(seat.current, { ...seat.asAuthor(), version, intent, accountOf }, this.random);
  }

  /** Authors, appends and commits. */
  act(seat: Seat, intent: GroupIntent): AuthoredEntry {
    this.catchUp(seat);
    const done = accepted(this.author(seat, intent));
    this.log.push(done.output.ciphertext);
    seat.record = done.state;
    seat.read = this.log.length;
    for (const secret of done.spent) secret.wipe();
    return done.output;
  }

  /** Adds people and lets them begin by the snapshot. */
  admit(admin: Seat, ...joining: readonly Seat[]): void {
    const added = this.act(admin, { kind: "add", members: joining.map(({ owner }) => owner.account) });
    for (const seat of joining) this.join(seat, added, found(admin.current.secrets).groupSecret);
  }

  join(seat: Seat, { version, stateHash }: AuthoredEntry, groupSecret: Secret): void {
    const secrets = { groupSecret: new Secret(copy(groupSecret.expose())), adminSecret: undefined };
    const { groupId, keyOf } = this;
    const input = { groupId, version, ciphertext: this.at(version), stateHash, secrets, userId: seat.userId, keyOf };
    seat.record = accepted(joinGroup(input)).state;
    seat.read = version;
  }

  at(version: number): Bytes {
    return found(this.log[version - 1]);
  }

  /** Reads one ciphertext as the seat's next place; commits what was accepted. */
  offer(seat: Seat, ciphertext: Bytes, version = seat.read + 1): GroupRead {
    const outcome = readGroupEntry(seat.current, { version, ciphertext, device: seat.asGroupDevice(), keyOf: this.keyOf });
    if (outcome.kind === "refused") return outcome;
    seat.record = outcome.state;
    for (const secret of outcome.spent) secret.wipe();
    return outcome;
  }

  /** Reads on to the end of the log, or as far as this device can. */
  catchUp(seat: Seat): readonly AppliedOperation[] {
    const applied: AppliedOperation[] = [];
    while (seat.record?.secrets !== undefined && seat.stopped === undefined && seat.read < this.log.length) {
      const outcome = this.offer(seat, this.at(seat.read + 1));
      if (outcome.kind === "done") applied.push(outcome.output);
      else if (outcome.next === "stop") seat.stopped = outcome.code;
      else seat.skipped.push(outcome.code);
      if (seat.stopped === undefined) seat.read++;
    }
    return applied;
  }

  catchUpAll(): void {
    for (const seat of this.seats) this.catchUp(seat);
  }

  /** The entry at a place, decrypted with what a seat has. */
  plain(version: number, seat: Seat): Bytes {
    return openGroupEntry(this.at(version), { groupId: this.groupId, version }, found(seat.current.secrets).groupSecret);
  }
}

/** The first person an admin, the second one too, the rest members. */
export function settledTown(seed: number, people: number): Town {
  const town = new Town(seed, people);
  const [creator, ...others] = town.seats;
  town.admit(found(creator), ...others);
  town.act(found(creator), { kind: "promote", userId: town.seat(1).userId });
  town.catchUpAll();
  return town;
}
