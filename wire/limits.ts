// Every maximum of the system, by name. A length is checked once, against one of these.

// Accounts and devices
export const MAX_DEVICE_ID = 127;
export const MAX_DEVICES_PER_ACCOUNT = 6;
export const MAX_REGISTRATION_ID = 0x3fff;

// Messages, in bytes
export const MAX_ENVELOPE_BYTES = 96 * 1024;
export const PADDING_BUCKETS: readonly number[] = [512, 1024, 2048, 4096, 16_384, 65_536];
export const MAX_PADDED_CONTENT_BYTES = 65_536;

// Groups
export const MAX_GROUP_MEMBERS = 100;
export const MAX_RECIPIENT_DEVICES = 600;

// Mailbox
export const MAILBOX_TTL_SECONDS = 30 * 24 * 3600;
export const MAILBOX_WINDOW_MESSAGES = 256;
export const MAILBOX_WINDOW_BYTES = 1024 * 1024;
export const MAILBOX_QUOTA_MESSAGES = 10_000;
export const MAILBOX_QUOTA_BYTES = 100 * 1024 * 1024;
export const EPHEMERAL_LIFETIME_SECONDS = 10;

// Ratchets (the same numbers as the official library, so that sessions interoperate)
export const MAX_FORWARD_JUMP = 25_000;
export const MAX_SKIPPED_KEYS = 2000;
export const MAX_RECEIVER_CHAINS = 5;
export const MAX_ARCHIVED_SESSIONS = 40;
export const MAX_SENDER_KEY_STATES = 5;
export const UNACKNOWLEDGED_SESSION_SECONDS = 30 * 24 * 3600;

// Prekeys
export const MAX_ONE_TIME_EC_PREKEYS = 100;
export const MAX_ONE_TIME_KEM_PREKEYS = 20;
export const PREKEYS_LOW = 20;
export const SIGNED_PREKEY_ROTATION_SECONDS = 48 * 3600;
export const SIGNED_PREKEY_GRACE_SECONDS = 7 * 24 * 3600;
export const PREKEY_RECORD_LIFETIME_SECONDS = 52 * 24 * 3600;

// Credentials
export const SENDER_CERTIFICATE_LIFETIME_SECONDS = 24 * 3600;
export const TOKEN_LIFETIME_SECONDS = 3600;
export const CHALLENGE_LIFETIME_SECONDS = 60;
export const LINK_TICKET_LIFETIME_SECONDS = 120;
export const RECOVERY_KEY_DELAY_SECONDS = 7 * 24 * 3600;

// Media
export const MAX_MEDIA_BYTES = 100 * 1024 * 1024;
export const MAX_MEDIA_REQUEST_BYTES = 16 * 1024 * 1024;
export const MEDIA_PART_BYTES = 5 * 1024 * 1024;
export const ABANDONED_UPLOAD_SECONDS = 24 * 3600;
