// Groups, as the gateway reaches them: by their id, which goes no further than into a keyed name.

import type { CheckedGroupAppend, GroupApi, GroupAppendResult, GroupReadResult, ServerNames } from "#durable-objects";
import type { Bytes, GroupId } from "#wire";
import { Objects } from "../objects.ts";

export class Groups {
  readonly #objects: Objects<GroupApi>;
  readonly #names: ServerNames;

  constructor(namespace: DurableObjectNamespace, names: ServerNames) {
    this.#objects = new Objects(namespace);
    this.#names = names;
  }

  /** May run twice: a repeat is answered alike. @throws Unavailable */
  async append(groupId: GroupId, append: CheckedGroupAppend, hint?: DurableObjectLocationHint): Promise<GroupAppendResult> {
    return await this.#objects.retried(this.#names.group(groupId), (group) => group.append(append), hint);
  }

  /** @throws Unavailable */
  async read(groupId: GroupId, key: Bytes, after: number): Promise<GroupReadResult> {
    return await this.#objects.retried(this.#names.group(groupId), (group) => group.read(key, after));
  }
}
