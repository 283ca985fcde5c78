// Entries of group logs as bytes: the frame that every entry has, the operations, and the state that they lead to.
// Who may write what, whether a signature holds and what the secrets are, is for protocol/group/.

import { type Bytes, EMPTY } from "./bytes.ts";
import { LOG_HEAD, type LogHead } from "./content.ts";
import { assertNever, WireError } from "./errors.ts";
import type { DeviceId, GroupId, ServiceId, UserId } from "./ids.ts";
import { bool, bytes, deviceId, enumeration, exactly, groupId, type Kind, serviceId, text, uint32, uint64, upTo, userId } from "./kinds.ts";
import {
  MAX_DEVICES_PER_ACCOUNT,
  MAX_GROUP_ENTRY_BYTES,
  MAX_GROUP_INVITES,
  MAX_GROUP_MEMBERS,
  MAX_GROUP_STATE_BYTES,
  MAX_GROUP_STATEMENT_BYTES,
  MAX_GROUP_TITLE_CHARACTERS,
  MAX_JOIN_REQUEST_BYTES,
} from "./limits.ts";
import { MEDIA_POINTER, type MediaPointer } from "./media-pointer.ts";
import { PUBLIC_KEY_BYTES, SIGNATURE_BYTES } from "./sizes.ts";
import { type Extensible, list, message, type MessageKind, optional, required, strictCodec, withDefault } from "./strict.ts";

/** Nothing signs the parts of an entry together, so it takes no extensions. */
export interface SignedGroupEntry {
  /** An encoded GroupStatement. */
  readonly statement: Bytes;
  readonly signature: Bytes;
  /** The encoded GroupState after this entry, for whoever joins by it. Not signed: believed by its hash, told elsewhere. */
  readonly snapshot: Bytes | undefined;
}

export interface GroupStatement extends Extensible {
  /** Absent in the first, from which it follows. */
  readonly groupId: GroupId | undefined;
  /** The entry's place in the log, from 1. */
  readonly version: number;
  /** The head of the state that this one changes; absent in the first. */
  readonly previousHead: Bytes | undefined;
  /** By the signer's clock. Shown, and decides nothing. */
  readonly createdSeconds: number;
  /** The device that signs. */
  readonly signer: ServiceId;
  /** The head of the signer's account log, as the signer knows it: at that head the device was active. */
  readonly signerHead: LogHead;
  /** One of GROUP_TYPES, or a number that only a newer version knows. */
  readonly type: number;
  readonly details: Bytes;
}

export type GroupRole = "admin" | "member";

export interface GroupMember extends Extensible {
  readonly userId: UserId;
  readonly role: GroupRole;
  /** The greatest length of the member's account log that an entry has shown: older heads sign nothing any more. */
  readonly logLength: number;
}

/** Who may ask to be let in: whoever knows the secret. */
export interface GroupInvite extends Extensible {
  readonly kind: "invite";
  /** 16 bytes that follow from the secret. */
  readonly inviteId: Bytes;
  /** The 16-byte secret under a key of the admins. */
  readonly sealedSecret: Bytes;
  /** How many more may be added by it. */
  readonly uses: number;
  readonly expiresSeconds: number;
  /** Whether a person is to be asked, or an admin's program may add at once. */
  readonly approval: boolean;
}

/** What a group is at one place of its log. All that have read the same entries have the same bytes of it. */
export interface GroupState extends Extensible {
  readonly groupId: GroupId;
  /** The place of the newest entry that changed it. */
  readonly version: number;
  /** Hash of that entry's statement and signature: 32 bytes. */
  readonly head: Bytes;
  /** From 0; each rotation begins the next. */
  readonly epoch: number;
  readonly title: string;
  readonly avatar: MediaPointer | undefined;
  /** By ascending userId. Empty when the last one has left, which nothing follows. */
  readonly members: readonly GroupMember[];
  /** Hashes of the two secrets of the epoch. */
  readonly groupCommitment: Bytes;
  readonly adminCommitment: Bytes;
  /** By ascending id. */
  readonly invites: readonly GroupInvite[];
  /** Somebody has left and still knows the epoch's secrets: an admin's program should rotate. */
  readonly rotationDue: boolean;
}

/** Secrets for one device, sealed to its identity key. */
export interface DeviceWrap extends Extensible {
  readonly deviceId: DeviceId;
  /** 48 bytes for one secret, 80 for both. */
  readonly wrapped: Bytes;
}

export interface MemberWraps extends Extensible {
  readonly userId: UserId;
  /** The length of the member's account log whose devices these are. */
  readonly logLength: number;
  /** By ascending id. */
  readonly devices: readonly DeviceWrap[];
}

/** The beginning of an epoch: new secrets for those who remain. */
export interface Rotation extends Extensible {
  readonly groupCommitment: Bytes;
  readonly adminCommitment: Bytes;
  readonly ephemeralKey: Bytes;
  /** By ascending userId. */
  readonly members: readonly MemberWraps[];
}

export interface AddedMember extends Extensible {
  readonly userId: UserId;
  /** Of the new member's account log, as the one who adds knows it. */
  readonly logLength: number;
}

export interface CreateGroup extends Extensible {
  readonly kind: "create";
  /** 32 random bytes: two groups of one person never have one id. */
  readonly nonce: Bytes;
  readonly title: string;
  readonly groupCommitment: Bytes;
  readonly adminCommitment: Bytes;
}

export interface AddMembers extends Extensible {
  readonly kind: "add";
  /** By ascending userId, at least one. */
  readonly members: readonly AddedMember[];
  /** The invite by which they came: each uses it once. */
  readonly inviteId: Bytes | undefined;
}

export interface RemoveMembers extends Extensible {
  readonly kind: "remove";
  /** Ascending, at least one. */
  readonly userIds: readonly UserId[];
  readonly rotation: Rotation;
}

export interface LeaveGroup extends Extensible {
  readonly kind: "leave";
}

export interface RenameGroup extends Extensible {
  readonly kind: "rename";
  readonly title: string;
}

/** Makes a member an admin, and gives the admins' secret to the devices that their account has. */
export interface PromoteMember extends Extensible {
  readonly kind: "promote";
  readonly ephemeralKey: Bytes;
  readonly member: MemberWraps;
}

export interface DemoteAdmin extends Extensible {
  readonly kind: "demote";
  readonly userId: UserId;
  readonly rotation: Rotation;
}

export interface SetAvatar extends Extensible {
  readonly kind: "avatar";
  readonly avatar: MediaPointer | undefined;
}

export interface RotateSecrets extends Extensible {
  readonly kind: "rotate";
  readonly rotation: Rotation;
}

export interface WithdrawInvite extends Extensible {
  readonly kind: "withdraw";
  readonly inviteId: Bytes;
}

/** What an entry does to its group. */
export type GroupOperation =
  | CreateGroup
  | AddMembers
  | RemoveMembers
  | LeaveGroup
  | RenameGroup
  | PromoteMember
  | DemoteAdmin
  | SetAvatar
  | RotateSecrets
  | GroupInvite
  | WithdrawInvite;

/** "Let me in": from whoever knows an invite's secret, to an admin. */
export interface JoinRequest extends Extensible {
  readonly groupId: GroupId;
  readonly inviteId: Bytes;
  /** Who wants to join. */
  readonly userId: UserId;
  readonly proof: Bytes;
}

export const INVITE_ID_BYTES: number = 16;
/** An XChaCha20-Poly1305 nonce, 16 bytes and a tag. */
const SEALED_SECRET_BYTES = 24 + 16 + 16;
const MAX_TITLE_BYTES = 4 * MAX_GROUP_TITLE_CHARACTERS;

/**
 * Controls, line and paragraph separators, and the characters that override the direction of the text around them: a title stays
 * on its line and looks like what it says. All of them fixed for ever, because readers must agree.
 */
const UNFIT = /[\p{Cc}\u2028-\u202e\u2066-\u2069]/u;

/** Whether a group can be called this: 1 to 100 characters, none of which controls the text around it. */
export function isGroupTitle(title: string): boolean {
  return title !== "" && title.isWellFormed() && Array.from(title).length <= MAX_GROUP_TITLE_CHARACTERS && !UNFIT.test(title);
}

const anyTitle: Kind<string> = text(MAX_TITLE_BYTES);
const groupTitle: Kind<string> = {
  ...anyTitle,
  read(source) {
    const title = anyTitle.read(source);
    if (!isGroupTitle(title)) throw new WireError("bad-value");
    return title;
  },
};

const hash = exactly(32);
const inviteId = exactly(INVITE_ID_BYTES);
const groupRole = enumeration<GroupRole>("edgewise.GroupRole", { admin: 1, member: 2 });

export const GROUP_ENTRY: MessageKind<SignedGroupEntry & Extensible> = message("edgewise.GroupEntry", {
  statement: required(1, upTo(MAX_GROUP_STATEMENT_BYTES)),
  signature: required(2, exactly(SIGNATURE_BYTES)),
  snapshot: optional(3, upTo(MAX_GROUP_STATE_BYTES)),
});

export const GROUP_STATEMENT: MessageKind<GroupStatement> = message("edgewise.GroupStatement", {
  groupId: optional(1, groupId),
  version: required(2, uint32),
  previousHead: optional(3, hash),
  createdSeconds: required(4, uint64),
  signer: required(5, serviceId),
  signerHead: required(6, LOG_HEAD),
  type: required(7, uint32),
  details: withDefault(8, upTo(MAX_GROUP_STATEMENT_BYTES), EMPTY),
});

export const GROUP_MEMBER: MessageKind<GroupMember> = message("edgewise.GroupMember", {
  userId: required(1, userId),
  role: required(2, groupRole),
  logLength: required(3, uint32),
});

export const GROUP_INVITE: MessageKind<GroupInvite> = message("edgewise.GroupInvite", {
  kind: "invite",
  inviteId: required(1, inviteId),
  sealedSecret: required(2, exactly(SEALED_SECRET_BYTES)),
  uses: required(3, uint32),
  expiresSeconds: required(4, uint64),
  approval: withDefault(5, bool, false),
});

export const GROUP_STATE: MessageKind<GroupState> = message("edgewise.GroupState", {
  groupId: required(1, groupId),
  version: required(2, uint32),
  head: required(3, hash),
  epoch: withDefault(4, uint32, 0),
  title: required(5, groupTitle),
  avatar: optional(6, MEDIA_POINTER),
  members: list(7, MAX_GROUP_MEMBERS, GROUP_MEMBER),
  groupCommitment: required(8, hash),
  adminCommitment: required(9, hash),
  invites: list(10, MAX_GROUP_INVITES, GROUP_INVITE),
  rotationDue: withDefault(11, bool, false),
});

export const DEVICE_WRAP: MessageKind<DeviceWrap> = message("edgewise.DeviceWrap", {
  deviceId: required(1, deviceId),
  wrapped: required(2, bytes(48, 80)),
});

export const MEMBER_WRAPS: MessageKind<MemberWraps> = message("edgewise.MemberWraps", {
  userId: required(1, userId),
  logLength: required(2, uint32),
  devices: list(3, MAX_DEVICES_PER_ACCOUNT, DEVICE_WRAP),
});

export const ROTATION: MessageKind<Rotation> = message("edgewise.Rotation", {
  groupCommitment: required(1, hash),
  adminCommitment: required(2, hash),
  ephemeralKey: required(3, exactly(PUBLIC_KEY_BYTES)),
  members: list(4, MAX_GROUP_MEMBERS, MEMBER_WRAPS),
});

export const ADDED_MEMBER: MessageKind<AddedMember> = message("edgewise.AddedMember", {
  userId: required(1, userId),
  logLength: required(2, uint32),
});

export const CREATE_GROUP: MessageKind<CreateGroup> = message("edgewise.CreateGroup", {
  kind: "create",
  nonce: required(1, hash),
  title: required(2, groupTitle),
  groupCommitment: required(3, hash),
  adminCommitment: required(4, hash),
});

export const ADD_MEMBERS: MessageKind<AddMembers> = message("edgewise.AddMembers", {
  kind: "add",
  members: list(1, MAX_GROUP_MEMBERS, ADDED_MEMBER),
  inviteId: optional(2, inviteId),
});

export const REMOVE_MEMBERS: MessageKind<RemoveMembers> = message("edgewise.RemoveMembers", {
  kind: "remove",
  userIds: list(1, MAX_GROUP_MEMBERS, userId),
  rotation: required(2, ROTATION),
});

export const LEAVE_GROUP: MessageKind<LeaveGroup> = message("edgewise.LeaveGroup", { kind: "leave" });

export const RENAME_GROUP: MessageKind<RenameGroup> = message("edgewise.RenameGroup", { kind: "rename", title: required(1, groupTitle) });

export const PROMOTE_MEMBER: MessageKind<PromoteMember> = message("edgewise.PromoteMember", {
  kind: "promote",
  ephemeralKey: required(1, exactly(PUBLIC_KEY_BYTES)),
  member: required(2, MEMBER_WRAPS),
});

export const DEMOTE_ADMIN: MessageKind<DemoteAdmin> = message("edgewise.DemoteAdmin", {
  kind: "demote",
  userId: required(1, userId),
  rotation: required(2, ROTATION),
});

export const SET_AVATAR: MessageKind<SetAvatar> = message("edgewise.SetAvatar", { kind: "avatar", avatar: optional(1, MEDIA_POINTER) });

export const ROTATE_SECRETS: MessageKind<RotateSecrets> = message("edgewise.RotateSecrets", {
  kind: "rotate",
  rotation: required(1, ROTATION),
});

export const WITHDRAW_INVITE: MessageKind<WithdrawInvite> = message("edgewise.WithdrawInvite", {
  kind: "withdraw",
  inviteId: required(1, inviteId),
});

export const JOIN_REQUEST: MessageKind<JoinRequest> = message("edgewise.JoinRequest", {
  groupId: required(1, groupId),
  inviteId: required(2, inviteId),
  userId: required(3, userId),
  proof: required(4, hash),
});

export const GROUP_TYPES = {
  create: 1,
  add: 2,
  remove: 3,
  leave: 4,
  rename: 5,
  promote: 6,
  demote: 7,
  avatar: 8,
  rotate: 9,
  invite: 10,
  withdraw: 11,
} as const;

/** These two stay in the state as they were signed, extensions and all: with them it keeps to MAX_GROUP_STATE_BYTES. */
const MAX_KEPT_AVATAR_BYTES = 1024;
const MAX_KEPT_INVITE_BYTES = 128;

const entry = strictCodec(GROUP_ENTRY, MAX_GROUP_ENTRY_BYTES);
const statement = strictCodec(GROUP_STATEMENT, MAX_GROUP_STATEMENT_BYTES);
const state = strictCodec(GROUP_STATE, MAX_GROUP_STATE_BYTES);
const joinRequest = strictCodec(JOIN_REQUEST, MAX_JOIN_REQUEST_BYTES);
const create = strictCodec(CREATE_GROUP, MAX_GROUP_STATEMENT_BYTES);
const add = strictCodec(ADD_MEMBERS, MAX_GROUP_STATEMENT_BYTES);
const remove = strictCodec(REMOVE_MEMBERS, MAX_GROUP_STATEMENT_BYTES);
/** Not even an extension: what every member may write has no room for anything. */
const leave = strictCodec(LEAVE_GROUP, 0);
const rename = strictCodec(RENAME_GROUP, MAX_GROUP_STATEMENT_BYTES);
const promote = strictCodec(PROMOTE_MEMBER, MAX_GROUP_STATEMENT_BYTES);
const demote = strictCodec(DEMOTE_ADMIN, MAX_GROUP_STATEMENT_BYTES);
const avatar = strictCodec(SET_AVATAR, MAX_KEPT_AVATAR_BYTES);
const rotate = strictCodec(ROTATE_SECRETS, MAX_GROUP_STATEMENT_BYTES);
const invite = strictCodec(GROUP_INVITE, MAX_KEPT_INVITE_BYTES);
const withdraw = strictCodec(WITHDRAW_INVITE, MAX_GROUP_STATEMENT_BYTES);

export const encodeGroupEntry: (value: SignedGroupEntry) => Bytes = entry.encode;

/** Byte strings in the answer are views of `bytes`. @throws WireError */
export function decodeGroupEntry(bytes: Bytes): SignedGroupEntry {
  const decoded = entry.decode(bytes);
  if (decoded.extensions !== undefined) throw new WireError("unknown-critical");
  return decoded;
}

export const encodeGroupStatement: (value: GroupStatement) => Bytes = statement.encode;

/** @throws WireError */
export function decodeGroupStatement(bytes: Bytes): GroupStatement {
  const decoded = statement.decode(bytes);
  const first = decoded.version === 1;
  if ((decoded.groupId === undefined) !== first || (decoded.previousHead === undefined) !== first) throw new WireError("bad-value");
  return decoded;
}

/** The type and details of a statement that does this. */
export function encodeGroupDetails(operation: GroupOperation): Pick<GroupStatement, "type" | "details"> {
  return { type: GROUP_TYPES[operation.kind], details: detailsOf(operation) };
}

function detailsOf(operation: GroupOperation): Bytes {
  switch (operation.kind) {
    case "create":
      return create.encode(operation);
    case "add":
      return add.encode(operation);
    case "remove":
      return remove.encode(operation);
    case "leave":
      return leave.encode(operation);
    case "rename":
      return rename.encode(operation);
    case "promote":
      return promote.encode(operation);
    case "demote":
      return demote.encode(operation);
    case "avatar":
      return avatar.encode(operation);
    case "rotate":
      return rotate.encode(operation);
    case "invite":
      return invite.encode(operation);
    case "withdraw":
      return withdraw.encode(operation);
    default:
      return assertNever(operation);
  }
}

/**
 * The inverse of `encodeGroupDetails`.
 * @throws WireError; `unknown-critical` for a type or field that only a newer version knows.
 */
export function decodeGroupDetails({ type, details }: Pick<GroupStatement, "type" | "details">): GroupOperation {
  switch (type) {
    case GROUP_TYPES.create:
      return create.decode(details);
    case GROUP_TYPES.add:
      return add.decode(details);
    case GROUP_TYPES.remove:
      return remove.decode(details);
    case GROUP_TYPES.leave:
      return leave.decode(details);
    case GROUP_TYPES.rename:
      return rename.decode(details);
    case GROUP_TYPES.promote:
      return promote.decode(details);
    case GROUP_TYPES.demote:
      return demote.decode(details);
    case GROUP_TYPES.avatar:
      return avatar.decode(details);
    case GROUP_TYPES.rotate:
      return rotate.decode(details);
    case GROUP_TYPES.invite:
      return invite.decode(details);
    case GROUP_TYPES.withdraw:
      return withdraw.decode(details);
    default:
      throw new WireError("unknown-critical");
  }
}

/** Its one encoding: what `stateHashOf` of protocol/ hashes. */
export const encodeGroupState: (value: GroupState) => Bytes = state.encode;
/** @throws WireError */
export const decodeGroupState: (bytes: Bytes) => GroupState = state.decode;
export const encodeJoinRequest: (value: JoinRequest) => Bytes = joinRequest.encode;
/** @throws WireError */
export const decodeJoinRequest: (bytes: Bytes) => JoinRequest = joinRequest.decode;
