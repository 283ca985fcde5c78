// ClientError: everything that can go wrong for whoever uses the client, as a closed list of codes. Each has one sentence
// that says what happened, one that says what to do, and a section in docs/errors.md.

export type ErrorCode = keyof typeof ERRORS;

interface Explanation {
  readonly message: string;
  readonly hint: string;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;
}

const ERRORS = {
  // The way to the server
  offline: {
    message: "The server cannot be reached.",
    hint: "Is it running, and is this its address? Messages that were stored here wait and go out when it is back.",
    retryable: true,
  },
  "server-failed": {
    message: "The server could not do this now.",
    hint: "Try again later; if it stays, tell whoever runs the server.",
    retryable: true,
  },
  "rate-limited": {
    message: "Too many requests in a short time.",
    hint: "Wait for as long as retryAfter says and try again.",
    retryable: true,
  },
  "mailbox-full": {
    message: "The recipient's mailbox is full.",
    hint: "It is tried again; it empties when the recipient comes online.",
    retryable: true,
  },
  refused: {
    message: "The server refused the request.",
    hint: "The server and this program do not fit together: update the older one.",
    retryable: false,
  },
  "upgrade-required": {
    message: "Somebody uses something newer than this program knows.",
    hint: "Update this program.",
    retryable: false,
  },
  // The account on this device
  "not-registered": {
    message: "There is no account in this store.",
    hint: "Register first, or link this device to an account.",
    retryable: false,
  },
  "already-registered": {
    message: "This store has an account already.",
    hint: "Use another store for another account.",
    retryable: false,
  },
  "in-progress": {
    message: "This store is getting an account already.",
    hint: "Register, link and restore one at a time: wait until the other one has ended, or abort it.",
    retryable: true,
  },
  "username-taken": {
    message: "Somebody has this username.",
    hint: "Choose another one.",
    retryable: false,
  },
  "invite-required": {
    message: "This server takes new accounts by invitation only.",
    hint: "Ask whoever runs the server for an invite code.",
    retryable: false,
  },
  "device-removed": {
    message: "The server does not accept this device any more.",
    hint: "It was removed from the account, or the account is gone. What is stored here can still be read.",
    retryable: false,
  },
  "own-account-deleted": {
    message: "The server says that this account was deleted.",
    hint: "Nothing comes or goes any more. What is stored here can still be read. If nobody of its owners did it, do not trust this server.",
    retryable: false,
  },
  "link-expired": {
    message: "The time to link the device is over.",
    hint: "A link or request is good for two minutes and for one device. Begin again on the new device.",
    retryable: false,
  },
  "link-refused": {
    message: "The other device has refused to link this one.",
    hint: "Nothing was linked. Begin again on the new device, and type the six digits that it shows.",
    retryable: false,
  },
  "wrong-digits": {
    message: "The six digits were wrong.",
    hint: "Nothing was linked, and this link is over. Begin again on the new device; if the digits are right and refused, do not trust this server.",
    retryable: false,
  },
  "untrusted-link": {
    message: "What came while linking is not from the other device.",
    hint: "Nothing was linked. Begin again; if it stays, do not trust this server.",
    retryable: false,
  },
  "devices-full": {
    message: "The account has as many devices as it may have.",
    hint: "Revoke one of the six first.",
    retryable: false,
  },
  "unknown-device": {
    message: "The account has no such device.",
    hint: "`devices list` shows those that there are.",
    retryable: false,
  },
  "last-device": {
    message: "An account always has a device, and this is the only one.",
    hint: "Link another one first.",
    retryable: false,
  },
  "wrong-recovery-key": {
    message: "This recovery key opens no account here.",
    hint: "Check every group of it, and the server. A key that replaced another without it is in force after seven days.",
    retryable: false,
  },
  "replaced-elsewhere": {
    message: "Another program receives for this device.",
    hint: "Only one program at a time receives for a store; the newest one wins. Stop the other one, or this one.",
    retryable: false,
  },
  closed: {
    message: "The client was closed.",
    hint: "Make a new one from the same store.",
    retryable: false,
  },
  // People
  "unknown-user": {
    message: "There is nobody under this name or id.",
    hint: "Check the spelling; a contact link is the surest way to name somebody.",
    retryable: false,
  },
  "account-deleted": {
    message: "This person has deleted their account.",
    hint: "Nothing was sent, and nothing reaches them any more. What was said before can still be read.",
    retryable: false,
  },
  "identity-changed": {
    message:
      "This person's account is not as you have known it: it was recovered with a recovery key, or there is a new one under the same name.",
    hint: "Nothing was sent. Make sure that it is still them, confirm that you have verified them again, and send it again.",
    retryable: false,
  },
  "account-forked": {
    message: "There are two histories of this person's devices: somebody lies about them.",
    hint: "Nothing was sent. Compare safety numbers with them over another channel, and tell whoever runs the server.",
    retryable: false,
  },
  "untrusted-keys": {
    message: "The server's keys for this person are not signed by them.",
    hint: "Nothing was sent. If it stays, do not trust this server.",
    retryable: true,
  },
  "log-withheld": {
    message: "The server does not show all that this person's devices say they have signed.",
    hint: "Nothing was sent to them; it is tried again. If it stays, do not trust this server.",
    retryable: true,
  },
  "devices-changing": {
    message: "The server kept saying that this person's devices have changed.",
    hint: "The message was not sent; sending it again starts anew. If it stays, do not trust this server.",
    retryable: true,
  },
  blocked: {
    message: "You have blocked this person.",
    hint: "Unblock them first.",
    retryable: false,
  },
  "not-accepted": {
    message: "This person's request was not accepted yet.",
    hint: "Accept it first.",
    retryable: false,
  },
  // Groups
  "unknown-group": {
    message: "There is no such group, or you are not in it.",
    hint: "Check the name; `group list` shows the groups that you are in.",
    retryable: false,
  },
  "not-a-member": {
    message: "You are not in this group any more.",
    hint: "Somebody who is in it can add you again. What was said before can still be read.",
    retryable: false,
  },
  "not-an-admin": {
    message: "Only an admin of the group can do this.",
    hint: "Ask one of them, or have them make you one.",
    retryable: false,
  },
  "last-admin": {
    message: "You are the only admin of this group.",
    hint: "Make somebody else an admin first.",
    retryable: false,
  },
  "group-full": {
    message: "The group has no room for this.",
    hint: "A group has at most 100 members, and its log an end: begin a new group.",
    retryable: false,
  },
  "nobody-asked": {
    message: "This person has not asked to be let into the group.",
    hint: "They ask with `group join` and an invite link; or add them.",
    retryable: false,
  },
  "group-changing": {
    message: "Others kept changing the group at the same time.",
    hint: "Nothing was changed; try again.",
    retryable: true,
  },
  "group-forked": {
    message: "The server shows the members of this group different histories of it.",
    hint: "Nothing more is sent or shown in it. Tell the others over another channel, and whoever runs the server.",
    retryable: false,
  },
  "group-withheld": {
    message: "The server does not show all that an admin of this group has signed.",
    hint: "Nothing was sent to it; it is tried again. If it stays, do not trust this server.",
    retryable: true,
  },
  "group-unreadable": {
    message: "The group has new keys that this device was not given.",
    hint: "Have an admin remove and add you again.",
    retryable: false,
  },
  // Messages
  "unknown-message": {
    message: "There is no such message here.",
    hint: "It may be in another store, or its id is not complete.",
    retryable: false,
  },
  "not-yours": {
    message: "Only whoever wrote a message can change it.",
    hint: "Reply to it instead.",
    retryable: false,
  },
  "too-long": {
    message: "The text is too long for one message.",
    hint: "A message holds 32 KiB of text. Send it in parts.",
    retryable: false,
  },
  "bad-argument": {
    message: "This is not something that can be asked for.",
    hint: "See the documentation of the call.",
    retryable: false,
  },
  // Files
  "file-too-large": {
    message: "The file is larger than 100 MiB.",
    hint: "Send it in parts, or in another way.",
    retryable: false,
  },
  "file-unreadable": {
    message: "The file cannot be read, or was changed while it was read.",
    hint: "Nothing was sent. Check that it is there and yours to read, and send it again.",
    retryable: false,
  },
  "picture-damaged": {
    message: "The picture has parts that nobody here knows, and may hold where and when it was taken.",
    hint: "Nothing was sent. Save it anew with a program for pictures; or send it as it is, with keepMetadata or --keep-metadata.",
    retryable: false,
  },
  "not-a-picture": {
    message: "This is no picture that everybody can show.",
    hint: "Pictures of people and groups are JPEG, PNG, WebP or GIF. The one of before stays.",
    retryable: false,
  },
  "picture-too-large": {
    message: "The picture is too large to be that of a person or a group.",
    hint: "It may have 1 MiB and 2048 pixels on each side. Make it smaller with a program for pictures. The one of before stays.",
    retryable: false,
  },
  "video-damaged": {
    message: "The video or recording has parts that nobody here knows, and may hold where and when it was made.",
    hint: "Nothing was sent. Save it anew with a program for videos; or send it as it is, with keepMetadata or --keep-metadata.",
    retryable: false,
  },
  "file-unwritable": {
    message: "The file cannot be written.",
    hint: "Check the disk, and that the folder is yours to write. What has come so far is kept, and the next try goes on from there.",
    retryable: false,
  },
  "file-refused": {
    message: "The server does not take this file.",
    hint: "It may take only smaller ones, or no more today. The message can be sent again, or deleted.",
    retryable: false,
  },
  "file-not-sent": {
    message: "The file is not at the server yet.",
    hint: "It can be read when its message was sent.",
    retryable: true,
  },
  "file-gone": {
    message: "The server does not have this file any more.",
    hint: "Files stay there for 30 days. Ask whoever sent it to send it again.",
    retryable: false,
  },
  "file-damaged": {
    message: "What came is not the file that was sent.",
    hint: "Try again; if it stays, do not trust this server, or ask whoever sent it to send it again.",
    retryable: true,
  },
  // Messages of before
  "history-damaged": {
    message: "What came is not the archive of messages that another device has made.",
    hint: "Nothing of it was taken. Have it given again; if it stays, do not trust this server.",
    retryable: false,
  },
  "history-withdrawn": {
    message: "The other device could not give its messages.",
    hint: "It knows why. Have it given again from there, or from another device.",
    retryable: false,
  },
  "history-no-room": {
    message: "This store has no place in front of its own messages.",
    hint: "It was made by an earlier version. Link this device anew, with another store.",
    retryable: false,
  },
  // The store
  "storage-corrupt": {
    message: "A stored record is damaged.",
    hint: "Nothing was overwritten. Restore the file from a copy, or link this device anew.",
    retryable: false,
  },
  "storage-wrong-key": {
    message: "The store was sealed with another key.",
    hint: "Give the passphrase or the key file that it was made with.",
    retryable: false,
  },
  "storage-locked": {
    message: "Another program holds the store.",
    hint: "Wait until it is done, or end it.",
    retryable: true,
  },
  "storage-failed": {
    message: "The store cannot be read or written.",
    hint: "Check the disk, and that the file and its folder are yours to read and write. Nothing was acknowledged, so nothing is lost.",
    retryable: true,
  },
  "storage-full": {
    message: "There is no room left to store anything.",
    hint: "Free some space. Nothing was acknowledged, so nothing is lost.",
    retryable: true,
  },
} as const;

const EXPLANATIONS: Readonly<Record<ErrorCode, Explanation>> = ERRORS;

export interface ErrorDetails extends ErrorOptions {
  /** Seconds. */
  readonly retryAfter?: number | undefined;
  /** What exactly, where the code alone does not say it. Holds no content, id or key. */
  readonly detail?: string;
}

export class ClientError extends Error {
  override readonly name = "ClientError";
  readonly code: ErrorCode;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;
  /** Seconds until it is worth trying again, when the server said so. */
  readonly retryAfter: number | undefined;
  /** What to do about it. */
  readonly hint: string;
  /** Where it is explained, in the repository's documentation. */
  readonly docs: string;

  constructor(code: ErrorCode, { retryAfter, detail, ...options }: ErrorDetails = {}) {
    const { message, hint, retryable } = EXPLANATIONS[code];
    super(detail === undefined ? message : `${message} (${detail})`, options);
    this.code = code;
    this.retryable = retryable;
    this.retryAfter = retryAfter;
    this.hint = hint;
    this.docs = `docs/errors.md#${code}`;
  }
}

/** Every code, for documentation and its test. */
export const ERROR_CODES: readonly ErrorCode[] = Object.keys(ERRORS) as ErrorCode[]; // the keys of a literal
