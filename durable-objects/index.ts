export { databaseOf, databasesOf } from "./databases.ts";
export type { DevicePreKeySet, NewEntry } from "./mailbox/account-store.ts";
export { AccountStore } from "./mailbox/account-store.ts";
export type {
  Accept,
  AcceptDevice,
  AcceptResult,
  Appended,
  Denied,
  DeviceIdentity,
  KeyBudget,
  LogAppend,
  LogConflict,
  MailboxApi,
  Registration,
  Unknown,
} from "./mailbox/api.ts";
export type { DeviceChanges } from "./mailbox/core.ts";
export type { CheckedGroupAppend, GroupApi, GroupAppendResult, GroupReadResult } from "./group/api.ts";
export { Group } from "./group/index.ts";
export type { FanOutEnv, MailboxEnv, UploadEnv } from "./env.ts";
export type { ChunkReference, FanOutApi, JobRecipient, OpenChunk, Outcome, Payload, SendResult, Settled } from "./fan-out/api.ts";
export { FanOut } from "./fan-out/index.ts";
export { fanOutNamespace, groupNamespace, mailboxNamespace, rendezvousNamespace, uploadNamespace } from "./jurisdiction.ts";
export { mediaBytesPerDay } from "./mailbox/budgets.ts";
export { Mailbox } from "./mailbox/index.ts";
export type { LinkBlob, Put, Taken, Written } from "./rendezvous/core.ts";
export type { RendezvousApi } from "./rendezvous/index.ts";
export { Rendezvous } from "./rendezvous/index.ts";
export type { SeedVersion } from "./server-seed.ts";
export { deriveServerKey, parseServerSeed, ServerNames } from "./server-seed.ts";
export type { Append, AppendResult, NewUpload, NoProgress, Progress, UploadApi } from "./upload/api.ts";
export { Upload } from "./upload/index.ts";
export { accessHashOf, MEDIA_PREFIX, mediaKey, mediaMetadata } from "./upload/media-object.ts";
