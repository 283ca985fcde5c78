import { expect, test } from "vitest";
import { groupNamespace, mailboxNamespace } from "../../durable-objects/jurisdiction.ts";

/** A namespace that says in which jurisdiction it was asked for: the local runtime has none to ask. */
function namespace(name = "anywhere"): DurableObjectNamespace & { readonly name: string } {
  // Only what is asked of it here.
  return { name, jurisdiction: (wanted: string) => namespace(wanted) } as unknown as DurableObjectNamespace & { readonly name: string };
}

test("mailboxes and groups are in the jurisdiction that is set, and anywhere when none is", () => {
  const MAILBOX = namespace();
  expect(mailboxNamespace({ MAILBOX })).toBe(MAILBOX);
  expect(mailboxNamespace({ MAILBOX, JURISDICTION: "" })).toBe(MAILBOX);
  expect(mailboxNamespace({ MAILBOX, JURISDICTION: "eu" })).toMatchObject({ name: "eu" });
  expect(groupNamespace({ GROUP: namespace("groups") })).toMatchObject({ name: "groups" });
  expect(groupNamespace({ GROUP: namespace(), JURISDICTION: "fedramp" })).toMatchObject({ name: "fedramp" });
});

test("a jurisdiction that there is not stops the server", () => {
  expect(() => mailboxNamespace({ MAILBOX: namespace(), JURISDICTION: "moon" })).toThrow("JURISDICTION");
});
