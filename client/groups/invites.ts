// Invite links: made by an admin, shown by whoever wants in, checked by an admin's program. The link's secret stands behind "#", where no
// server sees it. Knows no network: whoever is let in is added like everybody else.

import { askToJoin, checkJoinRequest, openInvite } from "#protocol";
import { Secret } from "#crypto";
import { type Bytes, decodeJoinRequest, type GroupId, parseGroupId, parseUserId, type UserId, WireError } from "#wire";
import { recordEvent, seconds } from "../core.ts";
import { ClientError } from "../errors.ts";
import { givenString } from "../given.ts";
import { JOINS } from "../records/tables.ts";
import type { Writer } from "../records/vault.ts";
import type { Sending } from "../sending/compose.ts";
import { fromBase64Url, toBase64Url } from "../transport/base64.ts";
import { findGroup, type Group } from "./state.ts";

/** Touched when somebody asks. */
export const JOINS_TOPIC = "joins";

export interface InviteLink {
  readonly groupId: GroupId;
  /** Whom to ask. */
  readonly admin: UserId;
  readonly secret: Secret;
}

/** The link of an invite. @throws ClientError `not-an-admin` */
export function linkOf(
  { record, state }: Group,
  inviteId: Bytes,
  { admin, server }: { readonly admin: UserId; readonly server: string },
): string {
  const opened = openInvite(record, inviteId);
  if (opened.kind === "refused") throw new ClientError("not-an-admin", { detail: opened.code });
  const secret = toBase64Url(opened.output.expose());
  opened.output.wipe();
  return `edgewise:group/${state.groupId}?server=${encodeURIComponent(server)}&admin=${admin}#${secret}`;
}

/** @throws ClientError `bad-argument` */
export function parseInviteLink(link: string, server: string): InviteLink {
  const [, groupId, query = "", secret = ""] =
    /^edgewise:group\/([0-9a-f]{64})\?([^#]+)#([\w-]{22})$/.exec(givenString(link, "an invite link")) ?? [];
  const parameters = new URLSearchParams(query);
  if (groupId === undefined) throw new ClientError("bad-argument", { detail: "this is no invite link" });
  if (parameters.get("server") !== server) throw new ClientError("bad-argument", { detail: "the link is for another server" });
  try {
    return { groupId: parseGroupId(groupId), admin: parseUserId(parameters.get("admin")), secret: new Secret(fromBase64Url(secret)) };
  } catch (cause) {
    if (cause instanceof WireError) throw new ClientError("bad-argument", { cause, detail: "this is no invite link" });
    throw cause;
  }
}

/** What is sent to the admin of the link. */
export function requestOf({ groupId, secret }: InviteLink, userId: UserId): Bytes {
  const request = askToJoin(groupId, secret, userId);
  secret.wipe();
  return request;
}

/** Somebody asks. What does not hold is forgotten: nobody learns from us which groups and invites there are. */
export async function noteJoinRequest(sending: Sending, records: Writer, sender: UserId, request: Bytes): Promise<void> {
  const groupId = groupIn(request);
  const group = groupId === undefined ? undefined : await findGroup(records, groupId);
  if (groupId === undefined || group?.known.standing !== "member") return;
  const checked = checkJoinRequest(group.record, { request, sender, nowSeconds: seconds(sending.clock) });
  if (checked.kind === "refused" || (await records.get(JOINS, groupId, sender)) !== undefined) return;
  const { inviteId, approval } = checked.output;
  records.put(JOINS, { groupId, userId: sender, inviteId, approval }, groupId, sender);
  records.touch(JOINS_TOPIC);
  if (!approval) return;
  const notice = { type: "notice", kind: "join-asked", peer: sender, deviceId: undefined, reason: undefined, groupId } as const;
  await recordEvent(records, notice);
}

function groupIn(request: Bytes): GroupId | undefined {
  try {
    return decodeJoinRequest(request).groupId;
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}
