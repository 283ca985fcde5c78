// A group as users of the SDK hold it: who is in it, and what can be done about that.

import { groupMember, type GroupIntent, type GroupRecord, isGroupAdmin } from "#protocol";
import { type GroupId, MAX_GROUP_INVITE_USES, toHex } from "#wire";
import type { Avatar, Conversation, GroupConversation, GroupMember, GroupRole, InviteTerms, Options, Peer } from "../api.ts";
import { withdrawPending } from "../avatars/records.ts";
import { seconds } from "../core.ts";
import { ClientError } from "../errors.ts";
import { givenFlag, givenOneOf, givenWhole } from "../given.ts";
import { linkOf } from "../groups/invites.ts";
import { type Group, requireGroup, requireTitle } from "../groups/state.ts";
import { GROUPS, JOINS } from "../records/tables.ts";
import type { Reader, Writer } from "../records/vault.ts";
import { introduceTo } from "../sending/profile.ts";
import { setAvatar } from "./avatar.ts";
import { Chat, type ChatParts } from "./chat.ts";

const INVITE_SECONDS = 7 * 24 * 3600;
const LONGEST_INVITE_SECONDS = 366 * 24 * 3600;

export class GroupChat extends Chat<GroupId> implements GroupConversation {
  readonly kind = "group";
  readonly title: string;
  readonly avatar: Avatar | undefined;
  readonly members: readonly GroupMember[];
  readonly role: GroupRole | undefined;
  readonly standing: GroupConversation["standing"];

  constructor(parts: ChatParts, { state, known }: Group, members: readonly GroupMember[]) {
    super(parts, state.groupId);
    this.title = state.title;
    this.avatar = this.views.avatar(state.groupId, known.avatar);
    this.members = members;
    this.standing = known.standing;
    this.role = members.find(({ peer }) => peer.self)?.role;
  }

  protected override get self(): Conversation {
    return this;
  }

  /** Members need not be contacts: with the first message go our name and picture. */
  protected override async begin(records: Writer): Promise<void> {
    const { known } = await requireGroup(records, this.id);
    if (known.introduced) return;
    records.put(GROUPS, { ...known, introduced: true }, this.id);
    await introduceTo(this.views.engine.sending, records, this.id);
  }

  protected override async owesReceipts(): Promise<boolean> {
    return await Promise.resolve(this.standing === "member");
  }

  /** Nobody in a group is told who is typing: it would go to everybody, one by one. */
  async setTyping(): Promise<void> {
    await Promise.resolve();
  }

  async add(people: readonly (string | Peer)[], options?: Options): Promise<void> {
    const members = await Promise.all(
      (await this.views.resolveAll(people, options)).map((userId) => this.views.engine.sending.accounts.refresh(userId, options?.signal)),
    );
    if (members.some(({ deletedSeconds }) => deletedSeconds !== undefined)) throw new ClientError("account-deleted");
    await this.#change(({ state }) => {
      const missing = members.filter(({ userId }) => groupMember(state, userId) === undefined);
      return missing.length === 0 ? undefined : { kind: "add", members: missing };
    }, options);
  }

  async remove(people: readonly (string | Peer)[], options?: Options): Promise<void> {
    const userIds = await this.views.resolveAll(people, options);
    if (userIds.some((userId) => this.views.isOwn(userId))) throw new ClientError("bad-argument", { detail: "whoever goes leaves" });
    await this.#change(({ state }) => {
      const present = userIds.filter((userId) => groupMember(state, userId) !== undefined);
      return present.length === 0 ? undefined : { kind: "remove", userIds: present };
    }, options);
  }

  async rename(title: string, options?: Options): Promise<void> {
    requireTitle(title);
    await this.#change(({ state }) => (state.title === title ? undefined : { kind: "rename", title }), options);
  }

  async setAvatar(picture: Blob | undefined, options: Options = {}): Promise<void> {
    const { engine } = this.views;
    // Before anything is kept, or brought to the server.
    await this.views.read((records) => this.#requireAdmin(records));
    if (picture !== undefined) {
      const also = (records: Writer): Promise<void> => this.#requireAdmin(records);
      await setAvatar(engine, { of: this.id, picture, signal: options.signal, also });
      return;
    }
    await this.views.write((records) => withdrawPending(records, this.id));
    await this.#change(({ state }) => (state.avatar === undefined ? undefined : { kind: "avatar", avatar: undefined }), options);
  }

  /** @throws ClientError `not-an-admin`, and as `requireGroup` */
  async #requireAdmin(records: Reader): Promise<void> {
    const { state } = await requireGroup(records, this.id);
    if (!isGroupAdmin(state, this.views.engine.sending.self.local.address.userId)) throw new ClientError("not-an-admin");
  }

  async setRole(who: string | Peer, role: GroupRole, options?: Options): Promise<void> {
    givenOneOf(role, ["admin", "member"], "a role");
    const [userId] = await this.views.resolveAll([who], options);
    if (userId === undefined) throw new ClientError("unknown-user");
    await this.#change(({ state }) => {
      const member = groupMember(state, userId);
      if (member === undefined) throw new ClientError("unknown-user");
      if (member.role === role) return undefined;
      // Who draws new secrets knows them.
      if (role === "member" && this.views.isOwn(userId)) throw new ClientError("bad-argument", { detail: "another admin does this" });
      return role === "admin" ? { kind: "promote", userId } : { kind: "demote", userId };
    }, options);
  }

  async invite({ uses = 1, expiresSeconds = INVITE_SECONDS, approval = true, ...options }: Options & InviteTerms = {}): Promise<string> {
    const { clock, self } = this.views.engine.sending;
    givenWhole(uses, "the number of uses", MAX_GROUP_INVITE_USES);
    givenWhole(expiresSeconds, "the time until an invite ends, in seconds,", LONGEST_INVITE_SECONDS);
    givenFlag(approval, "approval");
    const before = new Set((await this.#group()).state.invites.map(({ inviteId }) => toHex(inviteId)));
    const intent = { kind: "invite", uses, expiresSeconds: seconds(clock) + expiresSeconds, approval } as const;
    await this.#change(() => intent, options);
    const group = await this.#group();
    const made = group.state.invites.find(
      (invite) => invite.expiresSeconds === intent.expiresSeconds && !before.has(toHex(invite.inviteId)),
    );
    // A rotation that came right behind it ends every invite.
    if (made === undefined) throw new ClientError("group-changing");
    return linkOf(group, made.inviteId, { admin: self.local.address.userId, server: self.account.server });
  }

  async joinRequests(): Promise<readonly Peer[]> {
    return await this.views.read(async (records) => {
      const peers: Peer[] = [];
      for (const { userId } of await records.all(JOINS, this.id)) peers.push(await this.views.peer(records, userId));
      return peers;
    });
  }

  async approve(who: string | Peer, options?: Options): Promise<void> {
    const [userId] = await this.views.resolveAll([who], options);
    const asked = userId === undefined ? undefined : await this.views.read((records) => records.get(JOINS, this.id, userId));
    if (asked === undefined) throw new ClientError("nobody-asked");
    await this.views.engine.groups.letIn(asked, options?.signal);
  }

  async #group(): Promise<Group> {
    return await this.views.read((records) => requireGroup(records, this.id));
  }

  async leave(options?: Options): Promise<void> {
    await this.#change(() => ({ kind: "leave" }), options);
  }

  async #change(intend: (record: GroupRecord) => GroupIntent | undefined, options: Options | undefined): Promise<void> {
    await this.views.engine.groups.append(this.id, intend, options?.signal);
  }
}
