export type { AccountDevice, AccountState, Membership } from "./account.ts";
export { activeDevice, nextDeviceId } from "./account.ts";
export type { ReadAccountLog } from "./account-log.ts";
export { extendAccount, readAccountLog, userIdOfGenesis } from "./account-log.ts";
export { admitEntry } from "./admission.ts";
export type { CertificateTrust, CertifiedSender, SenderCertificateRequest, ServerCertificateRequest } from "./certificate.ts";
export {
  issueSenderCertificate,
  issueServerCertificate,
  matchesAccount,
  standsInAccount,
  validateSenderCertificate,
} from "./certificate.ts";
export type { Challenge } from "./challenge.ts";
export { answerChallenge, checkAnswer } from "./challenge.ts";
export type { Device } from "./device.ts";
export type { DeviceKeyAt } from "./device-key-at.ts";
export { deviceKeyAt } from "./device-key-at.ts";
export { isCapable, OUR_CAPABILITIES } from "./device.ts";
export type { GroupAt, UnsignedGroupAppend } from "./group-proof.ts";
export { checkGroupAppend, checkGroupRead, GROUP_READ_PROOF_BYTES, proveGroupRead, signGroupAppend } from "./group-proof.ts";
export type {
  AcceptDevice,
  AccountPlace,
  AddDevice,
  CreateGenesis,
  DeleteAccount,
  OwnDevice,
  ProposeDevice,
  RecoverAccount,
  RevokeDevice,
  SetRecoveryKey,
} from "./log-author.ts";
export {
  acceptDevice,
  addDevice,
  createGenesis,
  deleteAccount,
  describeDevice,
  proposeDevice,
  recoverAccount,
  revokeDevice,
  setRecoveryKey,
} from "./log-author.ts";
export type { Change, LogEntry } from "./log-entry.ts";
export { changeOf, openLogEntry } from "./log-entry.ts";
export type { HeadComparison } from "./log-head.ts";
export { compareHeads } from "./log-head.ts";
export type { CheckedPreKeys, CheckPreKeyBundle } from "./prekey-bundle.ts";
export { checkPreKeyBundle } from "./prekey-bundle.ts";
export type { CheckPreKeyUpload, CreatePreKeySet, NewKemPreKey } from "./prekey-upload.ts";
export { checkPreKeyUpload, createPreKeySet } from "./prekey-upload.ts";
export type { Recovery, RecoveryKey } from "./recovery.ts";
export { recoveryAt } from "./recovery.ts";
export { accessSecretOf, drawUploadId, isDrawnByServer, mediaIdOf } from "./upload-id.ts";
export type { AccountAt } from "./recovery-proof.ts";
export { checkRecoveryProof, checkRecoveryProofBy, proveRecoveryKey, RECOVERY_PROOF_BYTES } from "./recovery-proof.ts";
