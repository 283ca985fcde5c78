// How long each field of a Content may be.

import { type Bounds, exactly, listOf, optional, REQUIRED, upTo } from "./bounds.ts";
import {
  MAX_ATTACHMENTS,
  MAX_CONTENT_BYTES,
  MAX_DECRYPTION_ERROR_BYTES,
  MAX_EMOJI_BYTES,
  MAX_FILE_NAME_BYTES,
  MAX_MIME_BYTES,
  MAX_NAME_BYTES,
  MAX_READ_MARKS,
  MAX_RECEIPT_IDS,
  MAX_SENDER_KEY_DISTRIBUTION_BYTES,
  MAX_TEXT_BYTES,
  MAX_THUMBHASH_BYTES,
} from "./limits.ts";

export const COPY_BOUNDS: Bounds = {
  "edgewise.ContentCopy.content": upTo(MAX_CONTENT_BYTES),
};

const HEADER_BOUNDS: Bounds = {
  "edgewise.Content.sender": exactly(16),
  "edgewise.Content.sender_head": REQUIRED,
  "edgewise.Content.conversation": REQUIRED,
  "edgewise.Content.message_id": exactly(16),
  "edgewise.Content.sent_at": REQUIRED,
  "edgewise.Content.body": REQUIRED,
  "edgewise.LogHead.length": REQUIRED,
  "edgewise.LogHead.hash": exactly(32),
  "edgewise.Direct.recipient": exactly(16),
  "edgewise.Direct.recipient_head": REQUIRED,
  "edgewise.Group.group_id": exactly(32),
  "edgewise.Group.version": REQUIRED,
  "edgewise.Group.state_hash": exactly(32),
  "edgewise.Position.counter": REQUIRED,
  "edgewise.Position.previous_hash": optional(exactly(32)),
};

const MESSAGE_BOUNDS: Bounds = {
  "edgewise.Reference.author": exactly(16),
  "edgewise.Reference.message_id": exactly(16),
  "edgewise.MediaPointer.media_id": exactly(32),
  "edgewise.MediaPointer.access_secret": exactly(32),
  "edgewise.MediaPointer.key": exactly(32),
  "edgewise.MediaPointer.digest": exactly(32),
  "edgewise.MediaPointer.mime": optional(upTo(MAX_MIME_BYTES)),
  "edgewise.MediaPointer.name": optional(upTo(MAX_FILE_NAME_BYTES)),
  "edgewise.MediaPointer.thumbhash": optional(upTo(MAX_THUMBHASH_BYTES)),
  "edgewise.Text.text": optional(upTo(MAX_TEXT_BYTES)),
  "edgewise.Text.attachments": listOf(MAX_ATTACHMENTS),
  "edgewise.Edit.message_id": exactly(16),
  "edgewise.Edit.text": optional(upTo(MAX_TEXT_BYTES)),
  "edgewise.Delete.message_id": exactly(16),
  "edgewise.Reaction.target": REQUIRED,
  "edgewise.Reaction.emoji": optional(upTo(MAX_EMOJI_BYTES)),
};

const SIGNAL_BOUNDS: Bounds = {
  "edgewise.Receipt.kind": REQUIRED,
  "edgewise.Receipt.message_ids": listOf(MAX_RECEIPT_IDS, exactly(16)),
  "edgewise.PresenceQuery.lease_seconds": REQUIRED,
  "edgewise.Profile.name": optional(upTo(MAX_NAME_BYTES)),
};

const CONTROL_BOUNDS: Bounds = {
  "edgewise.GroupChange.group_id": exactly(32),
  "edgewise.GroupChange.version": REQUIRED,
  "edgewise.GroupChange.state_hash": exactly(32),
  "edgewise.GroupChange.group_secret": optional(exactly(32)),
  "edgewise.SenderKey.group_id": exactly(32),
  "edgewise.SenderKey.distribution": upTo(MAX_SENDER_KEY_DISTRIBUTION_BYTES),
  "edgewise.DecryptionError.error": upTo(MAX_DECRYPTION_ERROR_BYTES),
  "edgewise.Accept.delivery_secret": exactly(32),
  "edgewise.Sync.sync": REQUIRED,
  "edgewise.Sent.content": upTo(MAX_CONTENT_BYTES),
  "edgewise.Read.messages": listOf(MAX_READ_MARKS),
  "edgewise.Contact.user_id": exactly(16),
  "edgewise.Contact.state": REQUIRED,
  "edgewise.DeviceName.device_id": REQUIRED,
  "edgewise.DeviceName.name": optional(upTo(MAX_NAME_BYTES)),
};

export const CONTENT_BOUNDS: Bounds = { ...HEADER_BOUNDS, ...MESSAGE_BOUNDS, ...SIGNAL_BOUNDS, ...CONTROL_BOUNDS };
