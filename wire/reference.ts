// Reference: a message that someone wrote earlier. The author is named, so that nobody's id can be taken for another's.

import type { MessageId, UserId } from "./ids.ts";
import { messageId, userId } from "./kinds.ts";
import { type Extensible, message, type MessageKind, required } from "./strict.ts";

export interface Reference extends Extensible {
  readonly author: UserId;
  readonly messageId: MessageId;
}

export const REFERENCE: MessageKind<Reference> = message("edgewise.Reference", {
  author: required(1, userId),
  messageId: required(2, messageId),
});
