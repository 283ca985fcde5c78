// Lengthens a group's log by an entry that we cannot read. Nobody is asked who they are: the signature is one that all
// admins, or all members, can make. It is checked here, where there is room for that work; the object compares keys.

import { checkGroupAppend, type GroupAt } from "#identity";
import { copy, decodeGroupAppend, type GroupAppend, MAX_GROUP_APPEND_BYTES, ProtocolError } from "#wire";
import type { CheckedGroupAppend } from "#durable-objects";
import { groupIdOf, readProtobuf } from "../body.ts";
import type { Call } from "../call.ts";
import { locationHintOf, placeOf } from "../location.ts";
import { Problem } from "../problem.ts";
import { answer } from "../schemas.ts";

export async function appendGroup({ request, origin, parameters, services }: Call): Promise<Response> {
  const groupId = groupIdOf(parameters);
  const append = await readProtobuf(request, MAX_GROUP_APPEND_BYTES, decodeGroupAppend);
  requireSigned({ origin, groupId }, append);
  await services.limits.countGroup(groupId);
  const hint = append.version === 1 ? locationHintOf(placeOf(request)) : undefined;
  const result = await services.groups.append(groupId, withoutSignature(append), hint);
  switch (result.kind) {
    case "appended":
      return answer("appendGroup", { version: result.version });
    case "conflict":
      throw new Problem("version-conflict", { members: { version: result.version } });
    case "used-key":
      throw new Problem("malformed", { reason: "bad-key" });
    case "full":
      throw new Problem("group-full");
    case "rate-limited":
      throw new Problem("rate-limited", { retryAfterSeconds: result.retryAfterSeconds });
    case "unknown":
      throw new Problem("not-found");
  }
}

/** Asks nothing about the group, so it says the same about those that are there and others. */
function requireSigned(at: GroupAt, append: GroupAppend): void {
  try {
    checkGroupAppend(at, append);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    throw error.code === "bad-signature" ? new Problem("not-found") : new Problem("malformed", { reason: error.code });
  }
}

/** These fields and no others, in memory of their own: a view would take the whole request along. */
function withoutSignature({ version, entry, signer, authority }: GroupAppend): CheckedGroupAppend {
  const common = { version, entry: copy(entry), signer: copy(signer) };
  if (authority.kind === "member") return { ...common, authority: { kind: "member" } };
  const { keys } = authority;
  const copied = keys === undefined ? undefined : { memberKey: copy(keys.memberKey), adminKey: copy(keys.adminKey) };
  return { ...common, authority: { kind: "admin", keys: copied } };
}
