export type {
  Account,
  ChangeEvent,
  Client,
  ClientEvent,
  ConnectionState,
  Contacts,
  ContactState,
  Conversation,
  Conversations,
  Cursor,
  Live,
  Message,
  MessageEvent,
  MessageState,
  NoticeEvent,
  NoticeKind,
  Options,
  Peer,
  PresenceEvent,
  Profile,
  ReceiptEvent,
  RequestEvent,
  Settings,
  TypingEvent,
  Verification,
} from "./api.ts";
export type { ErrorCode } from "./errors.ts";
export { ClientError, ERROR_CODES } from "./errors.ts";
export type { Clock, HttpRequest, HttpResponse, KeyRange, Network, Socket, SocketEvents, SocketRequest, Store, StoredEntry, StoreReader, StoreWriter } from "./ports.ts";
export type { ClientOptions } from "./sdk/client.ts";
export { createClient } from "./sdk/client.ts";
