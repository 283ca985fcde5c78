// What is said in a conversation, with one person or in a group: the one place that tells the two apart when something goes out.

import type { Body } from "#wire";
import { isGroupId, requireGroup, toGroup } from "../groups/state.ts";
import type { ConversationId } from "../records/tables.ts";
import type { Writer } from "../records/vault.ts";
import { type Compose, compose, composeForGroup, type Sending } from "./compose.ts";

export interface Utterance {
  readonly to: ConversationId;
  readonly body: Body;
  /** The message of ours that it is. */
  readonly message?: Compose["message"];
}

/** To everybody in a conversation. */
export async function say(sending: Sending, records: Writer, { to, body, message }: Utterance): Promise<void> {
  const said = { body, ...(message === undefined ? {} : { message }) };
  if (isGroupId(to)) await composeForGroup(sending, records, { group: toGroup(await requireGroup(records, to)), ...said });
  else await compose(sending, records, { recipient: to, ...said });
}
