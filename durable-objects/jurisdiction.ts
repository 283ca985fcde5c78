// In whose law mailboxes and groups live, and the objects that have messages for them. A jurisdiction is part of an object's id:
// it is chosen before the first account and never changed, or nobody finds the objects of before. The local runtime knows none,
// so there the variable stays unset.

import { UsageError } from "#wire";

interface Placed {
  /** Unset: wherever the platform likes. */
  readonly JURISDICTION?: string;
}

export interface Jurisdictional extends Placed {
  readonly MAILBOX: DurableObjectNamespace;
}

const JURISDICTIONS: readonly DurableObjectJurisdiction[] = ["eu", "fedramp"];

/** The namespace in which every mailbox of this server is. @throws UsageError for a jurisdiction that there is not: the server must not start. */
export function mailboxNamespace(env: Jurisdictional): DurableObjectNamespace {
  return inJurisdiction(env.MAILBOX, env);
}

/** The namespace in which every group of this server is. @throws UsageError as above. */
export function groupNamespace(env: Placed & { readonly GROUP: DurableObjectNamespace }): DurableObjectNamespace {
  return inJurisdiction(env.GROUP, env);
}

/** The namespace in which devices meet. @throws UsageError as above. */
export function rendezvousNamespace(env: Placed & { readonly RENDEZVOUS: DurableObjectNamespace }): DurableObjectNamespace {
  return inJurisdiction(env.RENDEZVOUS, env);
}

/** The namespace of the objects that have messages to many under way. @throws UsageError as above. */
export function fanOutNamespace(env: Placed & { readonly FAN_OUT: DurableObjectNamespace }): DurableObjectNamespace {
  return inJurisdiction(env.FAN_OUT, env);
}

/** The namespace of the objects that have files under way. @throws UsageError as above. */
export function uploadNamespace(env: Placed & { readonly UPLOAD: DurableObjectNamespace }): DurableObjectNamespace {
  return inJurisdiction(env.UPLOAD, env);
}

function inJurisdiction(namespace: DurableObjectNamespace, { JURISDICTION = "" }: Placed): DurableObjectNamespace {
  if (JURISDICTION === "") return namespace;
  const known = JURISDICTIONS.find((name) => name === JURISDICTION);
  if (known === undefined) throw new UsageError("bad-argument", "JURISDICTION is none of the platform's");
  return namespace.jurisdiction(known);
}
