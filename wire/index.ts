export type { AppendLog, CreateAccount } from "./account-requests.ts";
export {
  decodeAppendLog,
  decodeCreateAccount,
  encodeAppendLog,
  encodeCreateAccount,
  MAX_APPEND_LOG_BYTES,
  MAX_CREATE_ACCOUNT_BYTES,
} from "./account-requests.ts";
export type {
  Accept,
  Body,
  DecryptionError,
  Delete,
  Edit,
  GroupChange,
  GroupJoin,
  Nothing,
  PresenceAnswer,
  PresenceQuery,
  Profile,
  Reaction,
  Receipt,
  SenderKey,
  Text,
  Typing,
} from "./body.ts";
export type { Bytes } from "./bytes.ts";
export { ascii, be16, be32, be64, concat, copy, EMPTY, fromHex, sameBytes, toHex } from "./bytes.ts";
export type {
  SenderCertificate,
  SenderCertificateFields,
  ServerCertificate,
  ServerCertificateFields,
  Signed,
  Signer,
} from "./certificate.ts";
export {
  decodeSenderCertificate,
  decodeServerCertificate,
  encodeSenderCertificateFields,
  encodeServerCertificateFields,
  encodeSigned,
} from "./certificate.ts";
export type { CloseReason } from "./close-codes.ts";
export { CLOSE } from "./close-codes.ts";
export type { Content, ContentCopy, Direct, Group, LogHead, Position } from "./content.ts";
export { decodeContent, decodeContentCopy, encodeContent, encodeContentCopy } from "./content.ts";
export type { DecryptionErrorMessage } from "./decryption-error.ts";
export {
  decodeDecryptionErrorMessage,
  decodePlaintextContent,
  encodeDecryptionErrorMessage,
  encodePlaintextContent,
} from "./decryption-error.ts";
export type { DeviceMessage, Envelope, SendRequest } from "./envelope.ts";
export { decodeEnvelope, decodeSendRequest, encodeEnvelope, encodeSendRequest, MAX_SEND_REQUEST_BYTES } from "./envelope.ts";
export type { ProtocolCode, WireCode } from "./errors.ts";
export { assertNever, InvariantError, ProtocolError, UsageError, WireError } from "./errors.ts";
export type { Ack, ClientFrame, Deliver, PreKeysLow, QueueEmpty, SendEphemeral, ServerFrame } from "./frames.ts";
export { decodeClientFrame, decodeServerFrame, encodeClientFrame, encodeServerFrame, EPHEMERAL_GUID } from "./frames.ts";
export type { AdminAuthority, GroupAppend, GroupEntries, GroupKeys, MemberAuthority, SealedGroupEntry } from "./group-requests.ts";
export { decodeGroupAppend, decodeGroupEntries, encodeGroupAppend, encodeGroupEntries, MAX_GROUP_APPEND_BYTES } from "./group-requests.ts";
export type {
  AddedMember,
  AddMembers,
  CreateGroup,
  DemoteAdmin,
  DeviceWrap,
  GroupInvite,
  GroupMember,
  GroupOperation,
  GroupRole,
  GroupState,
  GroupStatement,
  JoinRequest,
  LeaveGroup,
  MemberWraps,
  PromoteMember,
  RemoveMembers,
  RenameGroup,
  RotateSecrets,
  Rotation,
  SetAvatar,
  SignedGroupEntry,
  WithdrawInvite,
} from "./group-log.ts";
export {
  decodeGroupDetails,
  decodeGroupEntry,
  decodeGroupState,
  decodeGroupStatement,
  decodeJoinRequest,
  encodeGroupDetails,
  encodeGroupEntry,
  encodeGroupState,
  encodeGroupStatement,
  encodeJoinRequest,
  GROUP_TYPES,
  INVITE_ID_BYTES,
  isGroupTitle,
} from "./group-log.ts";
export type {
  AccountLog,
  Capabilities,
  DeletionDetails,
  DeviceDetails,
  LogStatement,
  RecoveryKeyDetails,
  RevokeDetails,
  SignedLogEntry,
} from "./identity-log.ts";
export {
  decodeAccountLog,
  decodeDeletionDetails,
  decodeDeviceDetails,
  decodeLogEntry,
  decodeLogStatement,
  decodeRecoveryKeyDetails,
  decodeRevokeDetails,
  encodeAccountLog,
  encodeDeletionDetails,
  encodeDeviceDetails,
  encodeLogEntry,
  encodeLogStatement,
  encodeRecoveryKeyDetails,
  encodeRevokeDetails,
  LOG_TYPES,
} from "./identity-log.ts";
export type {
  AccountKeys,
  DevicePreKeys,
  KemPreKey,
  KemReference,
  OneTimePreKey,
  PreKeyRecord,
  PreKeySet,
  PreKeyUpload,
  SignedPreKey,
  SignedPreKeyRecord,
} from "./identity-prekeys.ts";
export {
  decodeAccountKeys,
  decodeDevicePreKeys,
  decodeKemPreKey,
  decodeOneTimePreKey,
  decodePreKeyRecord,
  decodePreKeyUpload,
  decodeSignedPreKey,
  decodeSignedPreKeyRecord,
  encodeAccountKeys,
  encodeDevicePreKeys,
  encodeKemPreKey,
  encodeOneTimePreKey,
  encodePreKeyRecord,
  encodePreKeyUpload,
  encodeSignedPreKey,
  encodeSignedPreKeyRecord,
  MAX_PREKEY_UPLOAD_BYTES,
} from "./identity-prekeys.ts";
export type {
  DeviceAddress,
  DeviceId,
  DistributionId,
  GroupId,
  MediaId,
  MessageId,
  RegistrationId,
  RendezvousId,
  ServiceId,
  UploadId,
  UserId,
  Username,
} from "./ids.ts";
export {
  deviceOfServiceId,
  parseDeviceId,
  parseDistributionId,
  parseGroupId,
  parseMediaId,
  parseMessageId,
  parseRegistrationId,
  parseRendezvousId,
  parseServiceId,
  parseUploadId,
  parseUserId,
  parseUsername,
  serviceIdFromFixedWidth,
  serviceIdOfDevice,
  serviceIdToFixedWidth,
  userIdFromDigest,
  uuidFromBytes,
  uuidToBytes,
} from "./ids.ts";
export {
  MAX_DEVICE_ID,
  MAX_DEVICES_PER_ACCOUNT,
  MAX_REGISTRATION_ID,
  MIN_USERNAME_CHARACTERS,
  MAX_USERNAME_CHARACTERS,
  USERNAME_CLAIM_SECONDS,
  USERNAME_HOLD_SECONDS,
  MAX_INVITE_BYTES,
  MAX_LOG_DETAILS_BYTES,
  MAX_LOG_STATEMENT_BYTES,
  MAX_LOG_ENTRY_BYTES,
  MAX_LOG_ENTRIES,
  LOG_ENTRIES_FOR_RECOVERY,
  MAX_LOG_PAGE_ENTRIES,
  FRESHNESS_SECONDS,
  CLOCK_TOLERANCE_SECONDS,
  MAX_ENVELOPE_BYTES,
  MAX_FRAME_BYTES,
  MAX_CONTENT_BYTES,
  MAX_TEXT_BYTES,
  MAX_ATTACHMENTS,
  MAX_RECEIPT_IDS,
  MAX_READ_MARKS,
  MAX_EMOJI_BYTES,
  MAX_NAME_BYTES,
  MAX_FILE_NAME_BYTES,
  MAX_MIME_BYTES,
  MAX_THUMBHASH_BYTES,
  PADDING_BUCKETS,
  MAX_PADDED_CONTENT_BYTES,
  MAX_GROUP_MEMBERS,
  MAX_RECIPIENT_DEVICES,
  MAX_MULTI_RECIPIENT_BYTES,
  MAX_GROUP_TITLE_CHARACTERS,
  MAX_GROUP_ENTRY_BYTES,
  GROUP_ENTRY_STEP_BYTES,
  MAX_GROUP_STATEMENT_BYTES,
  MAX_GROUP_STATE_BYTES,
  MAX_GROUP_INVITES,
  MAX_JOIN_REQUEST_BYTES,
  MAX_GROUP_INVITE_USES,
  SENDER_KEY_MESSAGES,
  SENDER_KEY_LIFETIME_SECONDS,
  MAX_SEALED_GROUP_ENTRY_BYTES,
  MAX_GROUP_LOG_PLACES,
  GROUP_PLACES_FOR_ADMINS,
  HISTORY_FILE_BYTES,
  MAX_HISTORY_FILES,
  MAX_HISTORY_MESSAGE_BYTES,
  MAX_HISTORY_REACTIONS,
  MAX_HISTORY_RECEIPTS,
  MAX_GROUP_LEAVES,
  MAX_GROUP_PAGE_ENTRIES,
  MAX_GROUP_PAGE_BYTES,
  MAX_CHUNK_MAILBOXES,
  SEND_RESULT_SECONDS,
  MAILBOX_TTL_SECONDS,
  MAILBOX_WINDOW_MESSAGES,
  MAILBOX_WINDOW_BYTES,
  MAILBOX_QUOTA_MESSAGES,
  MAILBOX_QUOTA_BYTES,
  EPHEMERAL_LIFETIME_SECONDS,
  MAX_FORWARD_JUMP,
  MAX_SKIPPED_KEYS,
  MAX_RECEIVER_CHAINS,
  MAX_ARCHIVED_SESSIONS,
  MAX_SENDER_KEY_STATES,
  UNACKNOWLEDGED_SESSION_SECONDS,
  MAX_ONE_TIME_EC_PREKEYS,
  MAX_ONE_TIME_KEM_PREKEYS,
  MAX_PREKEY_ID,
  PREKEYS_LOW,
  SIGNED_PREKEY_ROTATION_SECONDS,
  SIGNED_PREKEY_GRACE_SECONDS,
  PREKEY_RECORD_LIFETIME_SECONDS,
  SENDER_CERTIFICATE_LIFETIME_SECONDS,
  TOKEN_LIFETIME_SECONDS,
  CHALLENGE_LIFETIME_SECONDS,
  LINK_TICKET_LIFETIME_SECONDS,
  RECOVERY_KEY_DELAY_SECONDS,
  MAX_LINK_BLOB_BYTES,
  MAX_TRUST_ROOTS,
  LINK_TRIES,
  MAX_MEDIA_BYTES,
  MAX_MEDIA_REQUEST_BYTES,
  MEDIA_PART_BYTES,
  ABANDONED_UPLOAD_SECONDS,
  MEDIA_TTL_SECONDS,
  MEDIA_URL_SECONDS,
  MEDIA_BYTES_PER_DAY,
  MAX_AVATAR_BYTES,
  MAX_AVATAR_PIXELS,
  AVATAR_RENEWAL_SECONDS,
  AVATAR_RENEWAL_BY_OTHERS_SECONDS,
} from "./limits.ts";
export type { Kind } from "./kinds.ts";
export {
  bool,
  bytes,
  deviceId,
  enumeration,
  exactly,
  fixed64,
  groupId,
  mediaId,
  messageId,
  registrationId,
  rendezvousId,
  serviceId,
  text,
  uint32,
  uint64,
  upTo,
  userId,
  username,
} from "./kinds.ts";
export type { HistoryGroup, HistoryHeader, HistoryMessage, HistoryPerson } from "./history.ts";
export { decodeHistoryHeader, decodeHistoryMessage, encodeHistoryHeader, encodeHistoryMessage } from "./history.ts";
export type { LinkAnswer, LinkCode, LinkDevice, LinkOffer, LinkRefused, LinkRequest, LinkReveal, LinkWelcome } from "./link.ts";
export {
  decodeLinkAnswer,
  decodeLinkCode,
  decodeLinkDevice,
  decodeLinkOffer,
  decodeLinkRequest,
  decodeLinkReveal,
  encodeLinkAnswer,
  encodeLinkCode,
  encodeLinkDevice,
  encodeLinkOffer,
  encodeLinkRequest,
  encodeLinkReveal,
  LINK_COMMITMENT_BYTES,
  LINK_SECRET_BYTES,
  MAX_LINK_REQUEST_BYTES,
} from "./link.ts";
export type { MediaPointer } from "./media-pointer.ts";
export {
  encryptedMediaLength,
  isMediaLength,
  MAX_ENCRYPTED_MEDIA_BYTES,
  MEDIA_CHUNK_BYTES,
  MEDIA_HEADER_BYTES,
  MEDIA_TAG_BYTES,
  paddedMediaLength,
} from "./media-sizes.ts";
export type { MultiRecipient, Recipient } from "./multi-recipient.ts";
export { encodeMultiRecipient, receivedMessage, splitMultiRecipient } from "./multi-recipient.ts";
export type { DeviceDropped, LinkRequested, LogChanged, Notice } from "./notice.ts";
export { decodeNotice, encodeNotice } from "./notice.ts";
export type { Reference } from "./reference.ts";
export type { Auth, BodyKind, Operation, ProblemCode, Route } from "./routes.ts";
export {
  COMMON_PROBLEMS,
  GROUP_SCHEME,
  MEDIA_SCHEME,
  pathOf,
  PROBLEM_STATUS,
  RECOVERY_SCHEME,
  ROUTES,
  SOCKET_PROTOCOL,
  TUS_CONTENT_TYPE,
  TUS_VERSION,
} from "./routes.ts";
export type { ScannableFingerprint } from "./scannable.ts";
export { decodeScannableFingerprint, encodeScannableFingerprint } from "./scannable.ts";
export type { SealedContent, SealedKind } from "./sealed-content.ts";
export { decodeSealedContent, encodeSealedContent, padSealedContent, SEALED_PADDING_OVERHEAD } from "./sealed-content.ts";
export type { SealedMessage, SealedV1, SealedV2 } from "./sealed-message.ts";
export { decodeSealedMessage, encodeSealedV1, encodeSealedV2, MASKED_KEY_BYTES, SENDER_TAG_BYTES } from "./sealed-message.ts";
export type {
  SenderKeyDistributionMessage,
  SenderKeyDistributionMessageFields,
  SenderKeyMessage,
  SenderKeyMessageFields,
} from "./sender-key-message.ts";
export {
  decodeSenderKeyDistributionMessage,
  decodeSenderKeyMessage,
  encodeSenderKeyDistributionMessage,
  encodeSenderKeyMessage,
} from "./sender-key-message.ts";
export type { PreKeySignalMessage, PreKeySignalMessageFields, SignalMessage, SignalMessageFields } from "./signal-message.ts";
export {
  decodePreKeySignalMessage,
  decodeSignalMessage,
  encodeAddresses,
  encodePreKeySignalMessage,
  encodeSignalMessage,
} from "./signal-message.ts";
export type { Extensible, Field, Fields, Members, MessageKind, StrictCodec } from "./strict.ts";
export { list, message, oneof, optional, packed, required, strictCodec, withDefault } from "./strict.ts";
export type { Contact, ContactState, DeviceName, History, Read, Sent, Sync } from "./sync.ts";
export { HISTORY_ARCHIVE_ID_BYTES } from "./sync.ts";
export { fromUtf8, toUtf8 } from "./utf8.ts";
export { SIGNAL_MAC_BYTES } from "./sizes.ts";
