// Two people on one server, whose programs are killed at random moments while both write and read.

import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { seededDice } from "../../support/random.ts";
import { RunningServer } from "../../server/running-server.ts";
import { bundleProgram, type Mistake } from "./bundle.ts";
import { compareHistories } from "./histories.ts";
import { Person } from "./person.ts";
import { Traffic } from "./traffic.ts";
import { Wire } from "./wire.ts";

export interface Storm {
  readonly folder: string;
  /** Of the program of each of the two. */
  readonly kills: number;
  readonly mistake?: Mistake;
}

export interface Report {
  /** The first ones end the storm. */
  readonly problems: readonly string[];
  readonly kills: number;
  /** Messages of the ratchet that left a program, and those that left again. */
  readonly sent: number;
  readonly repeated: number;
  /** Texts that are safe with both. */
  readonly texts: number;
}

export async function storm({ folder, kills, mistake }: Storm): Promise<Report> {
  const program = join(folder, "program.mjs");
  await bundleProgram(program, mistake);
  // Without its rate limits, so that there is always something under way.
  const seed = `1:${randomBytes(32).toString("base64url")}`;
  const server = await RunningServer.start(join(folder, "state"), seed, 0, { EDGEWISE_BENCH: "edgewise" });
  const wires = [await Wire.lay(server.port), await Wire.lay(server.port)] as const;
  try {
    const alice = await Person.register("alice", join(folder, "alice.db"), wires[0]);
    const bob = await Person.register("bob", join(folder, "bob.db"), wires[1]);
    const traffic = new Traffic([alice.reader, bob.reader]);
    for (const wire of wires) wire.see = (asked) => traffic.see(asked);
    const problems = (): readonly string[] => [...traffic.problems, ...alice.problems, ...bob.problems];
    await introduce(alice, bob);
    const live = async (person: Person, peer: Person, seed: number): Promise<void> => {
      const dice = seededDice(seed);
      for (let life = 0; life < kills && problems().length === 0; life++) await person.live({ program, peer, traffic, dice });
    };
    await Promise.all([live(alice, bob, 1), live(bob, alice, 2)]);
    const { texts, differences } = problems().length === 0 ? await compareHistories(alice, bob) : { texts: 0, differences: [] };
    const { sent, repeated } = traffic;
    return { problems: [...problems(), ...differences], kills: alice.kills + bob.kills, sent, repeated, texts };
  } finally {
    await Promise.all(wires.map((wire) => wire.cut()));
    await server.kill();
  }
}

/** The first message and the answer to it: the rest of the acquaintance is made in the storm. */
async function introduce(alice: Person, bob: Person): Promise<void> {
  await using ofAlice = await alice.client();
  await (await ofAlice.conversations.direct(bob.reader.userId)).send("alice 0");
  await ofAlice.settled();
  await using ofBob = await bob.client();
  await ofBob.connect();
  await ofBob.contacts.accept(alice.reader.userId);
  await ofBob.settled();
}
