export type { Done, Outcome, Refused } from "./attempt.ts";
export type { ErrorReport, Unopened } from "./decryption-error.ts";
export { acceptReport, reportUnopened } from "./decryption-error.ts";
export type { Fingerprint, FingerprintParty } from "./fingerprint.ts";
export { compareScanned, fingerprint } from "./fingerprint.ts";
export type { AuthoredEntry, AuthorGroupEntry, CreateGroupLog, GroupIntent } from "./group/author.ts";
export { authorGroupEntry, createGroup } from "./group/author.ts";
export type { SenderKeyNeed, SenderKeyUse } from "./group/distribution.ts";
export { distributionIdOf, senderKeyMustRotate } from "./group/distribution.ts";
export type { EntryPlace } from "./group/entry.ts";
export { openGroupEntry, sealGroupEntry } from "./group/entry.ts";
export type { CheckedJoinRequest, CheckJoinRequest } from "./group/invite.ts";
export { askToJoin, checkJoinRequest, INVITE_SECRET_BYTES, inviteIdOf, openInvite } from "./group/invite.ts";
export type { JoinGroup } from "./group/join.ts";
export { joinGroup, signerOfJoin } from "./group/join.ts";
export type { EpochSecrets } from "./group/keys.ts";
export { adminKeyPair, memberKeyPair } from "./group/keys.ts";
export type { AppliedOperation, ApplyGroupEntry, KeyOf } from "./group/log.ts";
export { applyGroupEntry } from "./group/log.ts";
export type { EntrySigner, GroupRead, ReadGroupEntry, SealedEntry } from "./group/read.ts";
export { readGroupEntry, signerOfEntry } from "./group/read.ts";
export type { GroupRecord } from "./group/record.ts";
export { adoptGroupSecrets, decodeGroupRecord, encodeGroupRecord } from "./group/record.ts";
export { groupMember, hasStateHash, isGroupAdmin, stateHashOf } from "./group/state.ts";
export type { GroupAccount, GroupDevice } from "./group/wrap.ts";
export type { MediaChunk, MediaKeys, MediaPlan } from "./media.ts";
export { mediaChunk, mediaDigest, mediaKeys, mediaNonce, planMedia } from "./media.ts";
export type { AddLinkedDevice, Approver, ApproverMet, ApproverSure, AskingDevice, OfferLink, Typed, Welcomed } from "./link/approver.ts";
export { addLinkedDevice, offerLink, openLinkCode, openReveal, refuseLink, typeDigits, welcomeDevice } from "./link/approver.ts";
export type { LinkBy, Newcomer, NewcomerMet, NewcomerRevealed, RevealDevice, Revealed } from "./link/newcomer.ts";
export { beginLink, linkCodeOf, openAnswer, openOffer, revealDevice } from "./link/newcomer.ts";
export type { LinkTicket } from "./link/transcript.ts";
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
