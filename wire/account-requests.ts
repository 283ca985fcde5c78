// The bodies that make an account and lengthen its log, as bytes. Whether an entry may stand, and whether the prekeys
// are the device's, is for identity/.

import type { Bytes } from "./bytes.ts";
import { MAX_PREKEY_UPLOAD_BYTES, PREKEY_UPLOAD, type PreKeyUpload } from "./identity-prekeys.ts";
import type { Username } from "./ids.ts";
import { text, upTo, username } from "./kinds.ts";
import { MAX_INVITE_BYTES, MAX_LOG_ENTRY_BYTES } from "./limits.ts";
import { type Extensible, message, type MessageKind, optional, required, strictCodec } from "./strict.ts";

export interface CreateAccount extends Extensible {
  /** The first entry of the log, as its device signed it. */
  readonly genesis: Bytes;
  /** With a set, for the first device. */
  readonly preKeys: PreKeyUpload;
  readonly username: Username | undefined;
  /** Where registration is by invitation. */
  readonly invite: string | undefined;
}

export interface AppendLog extends Extensible {
  readonly entry: Bytes;
  /** For the device that the entry adds, if it adds one. */
  readonly preKeys: PreKeyUpload | undefined;
}

export const CREATE_ACCOUNT: MessageKind<CreateAccount> = message("edgewise.CreateAccount", {
  genesis: required(1, upTo(MAX_LOG_ENTRY_BYTES)),
  preKeys: required(2, PREKEY_UPLOAD),
  username: optional(3, username),
  invite: optional(4, text(MAX_INVITE_BYTES)),
});

export const APPEND_LOG: MessageKind<AppendLog> = message("edgewise.AppendLog", {
  entry: required(1, upTo(MAX_LOG_ENTRY_BYTES)),
  preKeys: optional(2, PREKEY_UPLOAD),
});

export const MAX_APPEND_LOG_BYTES: number = MAX_LOG_ENTRY_BYTES + MAX_PREKEY_UPLOAD_BYTES + 16;
export const MAX_CREATE_ACCOUNT_BYTES: number = MAX_APPEND_LOG_BYTES + MAX_INVITE_BYTES + 64;

const createAccount = strictCodec(CREATE_ACCOUNT, MAX_CREATE_ACCOUNT_BYTES);
const appendLog = strictCodec(APPEND_LOG, MAX_APPEND_LOG_BYTES);

export const encodeCreateAccount: (value: CreateAccount) => Bytes = createAccount.encode;
/** @throws WireError */
export const decodeCreateAccount: (bytes: Bytes) => CreateAccount = createAccount.decode;
export const encodeAppendLog: (value: AppendLog) => Bytes = appendLog.encode;
/** @throws WireError */
export const decodeAppendLog: (bytes: Bytes) => AppendLog = appendLog.decode;
