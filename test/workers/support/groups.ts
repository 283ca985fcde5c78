// Groups over HTTP.

import { base64url } from "jose";
import { type Bytes, decodeGroupEntries, encodeGroupAppend, GROUP_SCHEME, type GroupAppend, toHex } from "#wire";
import type { GroupPairs, SharedGroup } from "../../support/shared-group.ts";
import { nowSeconds, type World } from "./world.ts";

export function authorizationOf(proof: Bytes): Readonly<Record<string, string>> {
  return { authorization: `${GROUP_SCHEME} ${base64url.encode(proof)}` };
}

/** The status, and what a refusal says beside it. */
export async function appendTo(world: World, { at }: SharedGroup, append: GroupAppend): Promise<string> {
  const response = await world.ask("appendGroup", { parameters: { groupId: at.groupId }, protobuf: encodeGroupAppend(append) });
  return `${response.status} ${await response.text()}`;
}

export interface Page {
  readonly versions: readonly number[];
  readonly entries: readonly string[];
  readonly latest: number;
}

/** @throws Error for anything but a page */
export async function readFrom(world: World, shared: SharedGroup, after = 0, pairs: GroupPairs = shared.pairs): Promise<Page> {
  const headers = authorizationOf(shared.readProof(nowSeconds(), { pairs }));
  const response = await world.ask("getGroup", { parameters: { groupId: shared.at.groupId }, query: `?after=${after}`, headers });
  if (response.status !== 200) throw new Error(await response.text());
  const { entries, latest } = decodeGroupEntries(new Uint8Array(await response.arrayBuffer()));
  return { latest, versions: entries.map(({ version }) => version), entries: entries.map(({ entry }) => toHex(entry)) };
}
