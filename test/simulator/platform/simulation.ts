// One run: the surroundings that a seed decides, a server, and global names for as long as `work` takes.

import { seededDice, seededRandom } from "../../support/random.ts";
import { installGlobals } from "./globals.ts";
import { SimulatedNetwork } from "./network.ts";
import { type Program, type ServerImage, SimulatedServer } from "./server.ts";
import { CALM, type Surroundings } from "./surroundings.ts";
import { VirtualClock } from "./virtual-clock.ts";

/** When every run begins, in milliseconds. */
const START = 1_790_000_000_000;

export interface Simulation extends Surroundings {
  readonly began: number;
  readonly server: SimulatedServer;
  /** For one more client. */
  network(): SimulatedNetwork;
}

export interface SimulationOptions {
  readonly seed: number;
  readonly program: Program;
  readonly schema: string;
  /** What an earlier run left, and when. */
  readonly from?: { readonly image: ServerImage; readonly atMilliseconds: number };
}

/** One at a time: the global names are everybody's. */
export async function inSimulation<T>(options: SimulationOptions, work: (simulation: Simulation) => Promise<T>): Promise<T> {
  const { seed, program, schema, from } = options;
  const surroundings: Surroundings = { clock: new VirtualClock(from?.atMilliseconds ?? START), dice: seededDice(seed), faults: CALM };
  const restore = installGlobals({ clock: surroundings.clock, dice: surroundings.dice, random: seededRandom(seed) });
  const server = new SimulatedServer(surroundings, { program, schema, ...(from === undefined ? {} : { image: from.image }) });
  try {
    return await work(
      Object.assign(surroundings, {
        began: surroundings.clock.nowMilliseconds(),
        server,
        network: () => new SimulatedNetwork(surroundings, server),
      }),
    );
  } finally {
    server.close();
    restore();
  }
}
