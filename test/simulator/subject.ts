// What is simulated, in one module: bundle.ts makes one program of this and of everything under it, so that the product can
// be changed on its way in.

import { createClient } from "#client";
import { PROGRAM } from "./platform/program.ts";
import { type Beginning, prepare as prepareWorld, type Report, runWorld, type Subject } from "./world.ts";

function subjectOf(schema: string): Subject {
  return { program: PROGRAM, schema, createClient };
}

export async function prepare(schema: string, seed: number, kind: "alone" | "grouped"): Promise<Beginning> {
  return await prepareWorld(subjectOf(schema), seed, kind);
}

export async function run(schema: string, seed: number, beginning?: Beginning): Promise<Report> {
  return await runWorld(subjectOf(schema), seed, beginning);
}
