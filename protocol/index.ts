export type { Done, Outcome, Refused } from "./attempt.ts";
export type { ErrorReport, Unopened } from "./decryption-error.ts";
export { acceptReport, reportUnopened } from "./decryption-error.ts";
export type { Fingerprint, FingerprintParty } from "./fingerprint.ts";
export { compareScanned, fingerprint } from "./fingerprint.ts";
export type { OpenedContent, OpenSealed, SealedRecipient, SealForMany, SealForOne } from "./sealed-sender.ts";
export { openSealed, sealForMany, sealForOne } from "./sealed-sender.ts";
export type { SenderKeyRecord } from "./sender-key.ts";
export {
  createSenderKey,
  distributeSenderKey,
  distributionOf,
  learnSenderKey,
  NO_SENDER_KEY,
  openFromGroup,
  sealForGroup,
} from "./sender-key.ts";
export type { SessionMessage } from "./session.ts";
export type { Initiate, LoadedPreKeys, LocalDevice, Open, Opened, PreKeyBundle, PreKeyUse, Seal, SessionRecord } from "./session-record.ts";
export { archiveCurrent, canSeal, EMPTY_RECORD, initiateSession, openMessage, preKeysNeeded, sealMessage } from "./session-record.ts";
export { decodeSenderKeyRecord, decodeSessionRecord, encodeSenderKeyRecord, encodeSessionRecord } from "./state.ts";
