// Every label that goes into a key derivation or a signature. Signal's are fixed by its wire; ours begin with
// "Edgewise/", so that nothing we sign can be read as one of Signal's bare encoded keys (0x05…, 0x08…).

import { ascii, type Bytes } from "#wire";

/** PQXDH section 3 and its deployed form. */
export const PQXDH_INFO: Bytes = ascii("WhisperText_X25519_SHA-256_CRYSTALS-KYBER-1024");

/** Double Ratchet section 5.2, as deployed. */
export const RATCHET_INFO: Bytes = ascii("WhisperRatchet");
export const MESSAGE_KEYS_INFO: Bytes = ascii("WhisperMessageKeys");
export const SENDER_MESSAGE_KEYS_INFO: Bytes = ascii("WhisperGroup");

/** Sealed sender version 1: the salt prefix of the ephemeral layer. */
export const SEALED_V1_SALT: Bytes = ascii("UnidentifiedDelivery");

/** Sealed sender version 2. */
export const SEALED_V2_R: Bytes = ascii("Sealed Sender v2: r (2023-08)");
export const SEALED_V2_K: Bytes = ascii("Sealed Sender v2: K");
export const SEALED_V2_DH: Bytes = ascii("Sealed Sender v2: DH");
export const SEALED_V2_DH_SENDER: Bytes = ascii("Sealed Sender v2: DH-sender");

/** ML-KEM Braid; each of the first four is followed by the epoch as eight big-endian bytes. */
export const BRAID_AUTHENTICATOR_UPDATE: Bytes = ascii("Signal_PQCKA_V1_MLKEM768:Authenticator Update");
export const BRAID_HEADER_MAC: Bytes = ascii("Signal_PQCKA_V1_MLKEM768:ekheader");
export const BRAID_CIPHERTEXT_MAC: Bytes = ascii("Signal_PQCKA_V1_MLKEM768:ciphertext");
export const BRAID_EPOCH_SECRET: Bytes = ascii("Signal_PQCKA_V1_MLKEM768:SCKA Key");
/** The two spaces are part of the deployed protocol. */
export const PQ_CHAIN_START: Bytes = ascii("Signal PQ Ratchet V1 Chain  Start");
export const PQ_CHAIN_ADD_EPOCH: Bytes = ascii("Signal PQ Ratchet V1 Chain Add Epoch");
export const PQ_CHAIN_NEXT: Bytes = ascii("Signal PQ Ratchet V1 Chain Next");

/** What our own signatures are for; `labelled` of signed.ts puts one in front of the signed fields. */
export const SIGN_AUTH_CHALLENGE: Bytes = ascii("Edgewise/auth-challenge/v1");
export const SIGN_LOG_ENTRY: Bytes = ascii("Edgewise/log-entry/v1");
export const SIGN_LOG_COUNTERSIGN: Bytes = ascii("Edgewise/log-countersign/v1");
export const SIGN_PREKEY_RECORD: Bytes = ascii("Edgewise/prekey-record/v1");

/** What the holder of a recovery key proves to a server; and what follows from the words that its owner keeps: the key, and a checksum. */
export const SIGN_RECOVERY_READ: Bytes = ascii("Edgewise/recovery-read/v1");
export const RECOVERY_KEY_SEED: Bytes = ascii("Edgewise/recovery-key/seed/v1");
export const RECOVERY_KEY_CHECKSUM: Bytes = ascii("Edgewise/recovery-key/checksum/v1");

/** Keys that a server derives from its seed. */
export const SERVER_MAILBOX_NAME: Bytes = ascii("Edgewise/server/mailbox-name/v1");
export const SERVER_FAN_OUT_NAME: Bytes = ascii("Edgewise/server/fan-out-name/v1");
export const SERVER_SEND_HANDLE: Bytes = ascii("Edgewise/server/send-handle/v1");
export const SERVER_SLOT: Bytes = ascii("Edgewise/server/slot/v1");
export const SERVER_USERNAME_TAG: Bytes = ascii("Edgewise/server/username-tag/v1");
export const SERVER_TOKEN: Bytes = ascii("Edgewise/server/token/v1");
export const SERVER_CHALLENGE: Bytes = ascii("Edgewise/server/challenge/v1");
export const SERVER_TRUST_ROOT: Bytes = ascii("Edgewise/server/trust-root/v1");
export const SERVER_CERTIFICATE: Bytes = ascii("Edgewise/server/certificate/v1");
export const SERVER_ADDRESS_LIMIT: Bytes = ascii("Edgewise/server/address-limit/v1");
export const SERVER_MEDIA_URL: Bytes = ascii("Edgewise/server/media-url/v1");

export const SERVER_RENDEZVOUS_NAME: Bytes = ascii("Edgewise/server/rendezvous-name/v1");

/** Groups: what a member proves to the server, and the name of a group's object. */
export const SIGN_GROUP_APPEND: Bytes = ascii("Edgewise/group-append/v1");
export const SIGN_GROUP_READ: Bytes = ascii("Edgewise/group-read/v1");
export const SERVER_GROUP_NAME: Bytes = ascii("Edgewise/server/group-name/v1");

/** What a store's own key is wrapped under, on the device; and what follows from it: names of records, and the key that seals them. */
export const STORE_KEY: Bytes = ascii("Edgewise/store-key/v1");
export const STORE_NAMES: Bytes = ascii("Edgewise/store-names/v1");
export const STORE_RECORDS: Bytes = ascii("Edgewise/store-records/v1");

/** Linking of devices: what the new one commits to, what both have seen, and what follows from it. */
export const LINK_COMMITMENT: Bytes = ascii("Edgewise/link/commitment/v1");
export const LINK_TRANSCRIPT: Bytes = ascii("Edgewise/link/transcript/v1");
export const LINK_DEVICE_KEY: Bytes = ascii("Edgewise/link/device-key/v1");
export const LINK_ANSWER_KEY: Bytes = ascii("Edgewise/link/answer-key/v1");
export const LINK_DIGITS: Bytes = ascii("Edgewise/link/digits/v1");

/** Groups: what is signed, what is hashed, what is derived from the secrets of an epoch, and from an invite's. */
export const SIGN_GROUP_OPERATION: Bytes = ascii("Edgewise/group/operation/v1");
export const GROUP_ID: Bytes = ascii("Edgewise/group/id/v1");
export const GROUP_HEAD: Bytes = ascii("Edgewise/group/head/v1");
export const GROUP_STATE: Bytes = ascii("Edgewise/group/state/v1");
export const GROUP_SECRET_COMMITMENT: Bytes = ascii("Edgewise/group/secret-commitment/v1");
export const GROUP_ADMIN_COMMITMENT: Bytes = ascii("Edgewise/group/admin-commitment/v1");
export const GROUP_DISTRIBUTION: Bytes = ascii("Edgewise/group/distribution/v1");
export const GROUP_ENTRY_KEY: Bytes = ascii("Edgewise/group/entry-key/v1");
export const GROUP_MEMBER_SEED: Bytes = ascii("Edgewise/group/member-seed/v1");
export const GROUP_ADMIN_SEED: Bytes = ascii("Edgewise/group/admin-seed/v1");
export const GROUP_ROTATION_WRAP: Bytes = ascii("Edgewise/group/rotation-wrap/v1");
export const GROUP_PROMOTION_WRAP: Bytes = ascii("Edgewise/group/promotion-wrap/v1");
export const GROUP_INVITE_SEAL: Bytes = ascii("Edgewise/group/invite-seal/v1");
export const GROUP_INVITE_ID: Bytes = ascii("Edgewise/group/invite-id/v1");
export const GROUP_INVITE_KEY: Bytes = ascii("Edgewise/group/invite-key/v1");
export const GROUP_JOIN_REQUEST: Bytes = ascii("Edgewise/group/join-request/v1");

/** Files at the server: what follows from the secret of their uploader. */
export const MEDIA_ID: Bytes = ascii("Edgewise/media/id/v1");
export const MEDIA_ACCESS_SECRET: Bytes = ascii("Edgewise/media/access-secret/v1");

/** Files: what a file shows of its key, the key of its chunks, and what all of it is known by. */
export const MEDIA_COMMITMENT: Bytes = ascii("Edgewise/media/commitment/v1");
export const MEDIA_AEAD_KEY: Bytes = ascii("Edgewise/media/aead-key/v1");
export const MEDIA_DIGEST: Bytes = ascii("Edgewise/media/digest/v1");
