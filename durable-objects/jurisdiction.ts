// In whose law mailboxes live. A jurisdiction is part of an object's id: it is chosen before the first account and never
// changed, or nobody finds the mailboxes of before. The local runtime knows none, so there the variable stays unset.

import { UsageError } from "#wire";

export interface Jurisdictional {
  readonly MAILBOX: DurableObjectNamespace;
  /** Unset: wherever the platform likes. */
  readonly JURISDICTION?: string;
}

const JURISDICTIONS: readonly DurableObjectJurisdiction[] = ["eu", "fedramp"];

/** The namespace in which every mailbox of this server is. @throws UsageError for a jurisdiction that there is not: the server must not start. */
export function mailboxNamespace({ MAILBOX, JURISDICTION = "" }: Jurisdictional): DurableObjectNamespace {
  if (JURISDICTION === "") return MAILBOX;
  const known = JURISDICTIONS.find((name) => name === JURISDICTION);
  if (known === undefined) throw new UsageError("bad-argument", "JURISDICTION is none of the platform's");
  return MAILBOX.jurisdiction(known);
}
