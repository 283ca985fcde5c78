// A page of a group's log, for whoever proves a key that its members share or shared. A proof that is missing, old, wrong or
// for another group, and a group that is not there, are one refusal.

import { base64url } from "jose";
import { checkGroupRead, type GroupAt } from "#identity";
import { type Bytes, copy, encodeGroupEntries, GROUP_SCHEME, ProtocolError, WireError } from "#wire";
import { afterOf, groupIdOf } from "../body.ts";
import type { Call } from "../call.ts";
import { Problem } from "../problem.ts";
import { protobufAnswer } from "../schemas.ts";

export async function getGroup({ request, url, origin, parameters, services, nowSeconds }: Call): Promise<Response> {
  const groupId = groupIdOf(parameters);
  const after = afterOf(url);
  const key = keyThatAsks(request.headers, { origin, groupId }, nowSeconds);
  if (key === undefined) throw new Problem("not-found");
  await services.limits.countGroup(groupId);
  const result = await services.groups.read(groupId, key, after);
  if (result.kind === "unknown") throw new Problem("not-found");
  const { entries, latest } = result;
  return protobufAnswer(encodeGroupEntries({ entries, latest }));
}

function keyThatAsks(headers: Headers, at: GroupAt, nowSeconds: number): Bytes | undefined {
  const text = PROOF.exec(headers.get("authorization") ?? "")?.[1];
  if (text === undefined) return undefined;
  try {
    return checkGroupRead(at, copy(base64url.decode(text)), nowSeconds).encode();
  } catch (error) {
    if (error instanceof ProtocolError || error instanceof WireError) return undefined;
    throw error;
  }
}

/** 101 bytes in base64url. */
const PROOF = new RegExp(`^${GROUP_SCHEME} ([\\w-]{135})$`, "i");
