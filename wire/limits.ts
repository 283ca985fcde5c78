// Every maximum of the system, by name. A length is checked once, against one of these.

// Accounts and devices
export const MAX_DEVICE_ID: number = 127;
export const MAX_DEVICES_PER_ACCOUNT: number = 6;
export const MAX_REGISTRATION_ID: number = 0x3fff;

/** Characters of `a-z`, `0-9`, `_` and `.`. */
export const MIN_USERNAME_CHARACTERS: number = 3;
export const MAX_USERNAME_CHARACTERS: number = 32;
/** How long a name that was given up belongs to nobody. */
export const USERNAME_HOLD_SECONDS: number = 7 * 24 * 3600;
/** How long a name waits for the account that it was taken for. */
export const USERNAME_CLAIM_SECONDS: number = 15 * 60;
export const MAX_INVITE_BYTES: number = 64;

// Account logs
export const MAX_LOG_DETAILS_BYTES: number = 512;
export const MAX_LOG_STATEMENT_BYTES: number = 768;
export const MAX_LOG_ENTRY_BYTES: number = 1024;
/** Entries that devices may write in the life of an account: who reads a log has to bear all of it. */
export const MAX_LOG_ENTRIES: number = 4096;
/** Places behind those for the recovery key, and for the end of the account, so that a thief who fills the log locks nobody out. */
export const LOG_ENTRIES_FOR_RECOVERY: number = 64;
/** Entries in one answer; a longer log comes in pages. */
export const MAX_LOG_PAGE_ENTRIES: number = 256;
/** How far a new entry, record or answer may be from the server's clock. */
export const FRESHNESS_SECONDS: number = 600;
/** How far ahead of a reader's clock an entry or record may be: readers' clocks are wrong, and nobody must be cut off by that. */
export const CLOCK_TOLERANCE_SECONDS: number = 24 * 3600;

// Messages, in bytes
export const MAX_ENVELOPE_BYTES: number = 96 * 1024;
/** A socket frame: an envelope and what carries it. Larger ones close the socket. */
export const MAX_FRAME_BYTES: number = MAX_ENVELOPE_BYTES + 1024;
export const PADDING_BUCKETS: readonly number[] = [512, 1024, 2048, 4096, 16_384, 65_536];
export const MAX_PADDED_CONTENT_BYTES: number = 65_536;

/** What a ratchet message may hold: leaves room in the largest bucket for session set-up, certificate and padding. */
export const MAX_CONTENT_BYTES: number = 60 * 1024;
export const MAX_TEXT_BYTES: number = 32 * 1024;
export const MAX_ATTACHMENTS: number = 16;
export const MAX_RECEIPT_IDS: number = 64;
export const MAX_READ_MARKS: number = 256;
export const MAX_EMOJI_BYTES: number = 64;
export const MAX_NAME_BYTES: number = 256;
export const MAX_FILE_NAME_BYTES: number = 255;
export const MAX_MIME_BYTES: number = 127;
export const MAX_THUMBHASH_BYTES: number = 64;
export const MAX_SENDER_KEY_DISTRIBUTION_BYTES: number = 256;
export const MAX_DECRYPTION_ERROR_BYTES: number = 256;
/** Unknown fields that one message of ours may carry along. */
export const MAX_EXTENSIONS: number = 16;

// History: what a new device is given of the messages of before
/** Plaintext of one file, but for the message that fills it. */
export const HISTORY_FILE_BYTES: number = 8 * 1024 * 1024;
/** So many pointers fit into one content. What is older than they hold is left out. */
export const MAX_HISTORY_FILES: number = 256;
/** A message with all of its edits, and who has reacted. */
export const MAX_HISTORY_MESSAGE_BYTES: number = 768 * 1024;
export const MAX_HISTORY_EDITS: number = 20;
export const MAX_HISTORY_REACTIONS: number = 512;
export const MAX_HISTORY_RECEIPTS: number = 512;

// Groups
export const MAX_GROUP_MEMBERS: number = 100;
export const MAX_RECIPIENT_DEVICES: number = 600;
/** A multi-recipient message: one envelope and, for each device, a ServiceId, a device and two values of 48 bytes. */
export const MAX_MULTI_RECIPIENT_BYTES: number = MAX_ENVELOPE_BYTES + MAX_RECIPIENT_DEVICES * (17 + 3 + 48);
/** Places in a group's log: who joins has to bear all of them. */
export const MAX_GROUP_LOG_PLACES: number = 4096;
/** Of those the last, which members' leaves do not take, so that admins can go on to remove and to rotate. */
export const GROUP_PLACES_FOR_ADMINS: number = 64;
/** Leaves under one set of keys: there are no more members, and a member who writes noise is removed with new keys. */
export const MAX_GROUP_LEAVES: number = 100;
/** Entries in one answer, and their bytes together. */
export const MAX_GROUP_PAGE_ENTRIES: number = 64;
export const MAX_GROUP_PAGE_BYTES: number = 1000 * 1024;

// Group logs
export const MAX_GROUP_TITLE_CHARACTERS: number = 100;
/** An entry as it is encrypted, padding included; and as the server has it, with nonce and tag. */
export const MAX_GROUP_ENTRY_BYTES: number = 96 * 1024;
export const MAX_SEALED_GROUP_ENTRY_BYTES: number = MAX_GROUP_ENTRY_BYTES + 24 + 16;
/** An entry is padded to a multiple of this. */
export const GROUP_ENTRY_STEP_BYTES: number = 4096;
/** A rotation for 100 admins with six devices each takes some 54 kB. */
export const MAX_GROUP_STATEMENT_BYTES: number = 64 * 1024;
export const MAX_GROUP_STATE_BYTES: number = 8 * 1024;
export const MAX_GROUP_INVITES: number = 16;
export const MAX_JOIN_REQUEST_BYTES: number = 160;
export const MAX_GROUP_INVITE_USES: number = 100;
/** What one sender key may encrypt, and for how long. */
export const SENDER_KEY_MESSAGES: number = 100;
export const SENDER_KEY_LIFETIME_SECONDS: number = 7 * 24 * 3600;
/** Mailboxes that one message of the queue stands for. */
export const MAX_CHUNK_MAILBOXES: number = 25;
/** How long a sender can ask how a message to many ended, after it did. */
export const SEND_RESULT_SECONDS: number = 24 * 3600;

// Mailbox
export const MAILBOX_TTL_SECONDS: number = 30 * 24 * 3600;
export const MAILBOX_WINDOW_MESSAGES: number = 256;
export const MAILBOX_WINDOW_BYTES: number = 1024 * 1024;
export const MAILBOX_QUOTA_MESSAGES: number = 10_000;
export const MAILBOX_QUOTA_BYTES: number = 100 * 1024 * 1024;
export const EPHEMERAL_LIFETIME_SECONDS: number = 10;

// Ratchets (the same numbers as the official library, so that sessions interoperate)
export const MAX_FORWARD_JUMP: number = 25_000;
export const MAX_SKIPPED_KEYS: number = 2000;
export const MAX_RECEIVER_CHAINS: number = 5;
export const MAX_ARCHIVED_SESSIONS: number = 40;
export const MAX_SENDER_KEY_STATES: number = 5;
export const UNACKNOWLEDGED_SESSION_SECONDS: number = 30 * 24 * 3600;

// Prekeys
export const MAX_ONE_TIME_EC_PREKEYS: number = 100;
export const MAX_ONE_TIME_KEM_PREKEYS: number = 20;
/** Ids are 24 bits and not zero, as in Signal's own clients. */
export const MAX_PREKEY_ID: number = 0xff_ffff;
export const PREKEYS_LOW: number = 20;
export const SIGNED_PREKEY_ROTATION_SECONDS: number = 48 * 3600;
export const SIGNED_PREKEY_GRACE_SECONDS: number = 7 * 24 * 3600;
export const PREKEY_RECORD_LIFETIME_SECONDS: number = 52 * 24 * 3600;

// Credentials
export const SENDER_CERTIFICATE_LIFETIME_SECONDS: number = 24 * 3600;
export const TOKEN_LIFETIME_SECONDS: number = 3600;
export const CHALLENGE_LIFETIME_SECONDS: number = 60;
export const LINK_TICKET_LIFETIME_SECONDS: number = 120;
export const RECOVERY_KEY_DELAY_SECONDS: number = 7 * 24 * 3600;

// Linking of devices
/** What one blob of a rendezvous holds. */
export const MAX_LINK_BLOB_BYTES: number = 16 * 1024;
/** Roots of sender certificates that a server has at a time: one, and those that it is moving away from. */
export const MAX_TRUST_ROOTS: number = 8;
/** How often a person may mistype the six digits. */
export const LINK_TRIES: number = 3;

// Media
export const MAX_MEDIA_BYTES: number = 100 * 1024 * 1024;
export const MAX_MEDIA_REQUEST_BYTES: number = 16 * 1024 * 1024;
/** Every part of a file but its last, where files are kept in parts. */
export const MEDIA_PART_BYTES: number = 5 * 1024 * 1024;
export const ABANDONED_UPLOAD_SECONDS: number = 24 * 3600;
/** How long the server keeps a file: as long as a message that points to it. */
export const MEDIA_TTL_SECONDS: number = 30 * 24 * 3600;
/** How long a temporary URL is good. */
export const MEDIA_URL_SECONDS: number = 3600;
/** A picture of a person or a group, and each of its sides. Whoever is told of a larger one does not fetch it. */
export const MAX_AVATAR_BYTES: number = 1024 * 1024;
export const MAX_AVATAR_PIXELS: number = 2048;
/** Who set such a picture brings it to the server again after so long, and another device or admin if they have not by then. */
export const AVATAR_RENEWAL_SECONDS: number = 20 * 24 * 3600;
export const AVATAR_RENEWAL_BY_OTHERS_SECONDS: number = 23 * 24 * 3600;
/** What an account may upload in a day, encrypted, unless the server has been told another number. */
export const MEDIA_BYTES_PER_DAY: number = 2 * 1024 * 1024 * 1024;
