// Reference: a message that someone wrote earlier. The author is named, so that nobody's id can be taken for another's.

import * as pb from "./gen/content_pb.js";
import { type Extensible, extensionsOf, make, messageIdOf, messageIdToField, userIdOf, userIdToField } from "./generated.ts";
import type { MessageId, UserId } from "./ids.ts";

export interface Reference extends Extensible {
  readonly author: UserId;
  readonly messageId: MessageId;
}

export function referenceToMessage(reference: Reference): pb.Reference {
  const author = userIdToField(reference.author);
  return make(pb.ReferenceSchema, reference, { author, messageId: messageIdToField(reference.messageId) });
}

export function referenceFromMessage(message: pb.Reference): Reference {
  return { author: userIdOf(message.author), messageId: messageIdOf(message.messageId), ...extensionsOf(message) };
}
