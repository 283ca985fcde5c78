// The product's server as it stands, for the platform in memory. The one place that knows that what the Workers runtime
// would check about it is given here by hand.

import { useBackend } from "#crypto";
import { nodeBackend } from "#crypto/node";
import worker, { FanOut, Group, Mailbox } from "../../../workers/gateway/index.ts";
import type { Program } from "./server.ts";

// The Worker chose its own as it was loaded; here client and server are one program, and this one is faster. Curve keys are drawn
// from the seed, because user ids follow from them, and from those the order of much else.
const { generateX25519: _, ...seededBackend } = nodeBackend;
useBackend(seededBackend);

// The Workers runtime's types for these are not Node's.
const { fetch, queue } = worker as unknown as Program;
const objects = { MAILBOX: Mailbox, GROUP: Group, FAN_OUT: FanOut } as unknown as Program["objects"];
export const PROGRAM: Program = { fetch, queue, objects };
