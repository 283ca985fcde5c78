// Makes an account: the first entry of its log, the first device's prekeys, and a username if one is asked for.

import { base64url } from "jose";
import { equal, sha256 } from "#crypto";
import { admitEntry } from "#identity";
import { decodeCreateAccount, encodePreKeyUpload, MAX_CREATE_ACCOUNT_BYTES, toUtf8 } from "#wire";
import { claimUsername, confirmUsername } from "../../keys/index.ts";
import { parsed, readProtobuf } from "../body.ts";
import type { Call } from "../call.ts";
import { denied } from "../denied.ts";
import { locationHintOf, placeOf } from "../location.ts";
import { Problem } from "../problem.ts";
import { answer } from "../schemas.ts";

/** May be repeated as it is: an account that is there already is made again with the same answer. */
export async function createAccount({ request, services, nowSeconds }: Call): Promise<Response> {
  const body = await readProtobuf(request, MAX_CREATE_ACCOUNT_BYTES, decodeCreateAccount);
  requireInvite(services.inviteCode, body.invite);
  // The mailbox checks again and decides; here it keeps nonsense from waking one and from holding names.
  const { userId } = parsed(() => admitEntry(undefined, body.genesis, nowSeconds));
  const name = body.username === undefined ? undefined : { username: body.username, userId };
  if (name !== undefined && !(await claimUsername(services.keys, name, nowSeconds))) throw new Problem("username-taken");
  const registration = { userId, genesis: body.genesis, upload: encodePreKeyUpload(body.preKeys) };
  const result = await services.mailboxes.retried(userId, (mailbox) => mailbox.register(registration), locationHintOf(placeOf(request)));
  if (result.kind === "denied") throw denied(result.code);
  if (name !== undefined) await confirmUsername(services.keys, name, nowSeconds);
  return answer("createAccount", { userId, head: { length: result.length, hash: base64url.encode(result.hash) } });
}

/** Hashes are compared, so that time tells nothing about the code, not even its length. */
function requireInvite(wanted: string | undefined, given: string | undefined): void {
  if (wanted === undefined) return;
  if (!equal(sha256(toUtf8(wanted)), sha256(toUtf8(given ?? "")))) throw new Problem("not-admitted");
}
