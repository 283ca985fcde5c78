import { expect, test } from "vitest";
import { type Auth, ROUTES } from "#wire";
import { OPERATIONS } from "../../workers/gateway/operations/index.ts";
import { openApiDocument } from "../../workers/gateway/openapi.ts";
import { SERVED } from "../../workers/gateway/served.ts";

test("docs/openapi.json is what the server says (vitest run -u writes it)", async () => {
  await expect(`${JSON.stringify(openApiDocument(), undefined, 2)}\n`).toMatchFileSnapshot("../../docs/openapi.json");
});

/** What no token is for. */
const OPEN: readonly Auth[] = ["none", "group-key", "access-secret", "signed-url", "recovery-key", "secret-id"];

test("what is served has an operation, of the kind that the route table asks for", () => {
  for (const name of SERVED) {
    const open = OPEN.includes(ROUTES[name].auth);
    expect([name, name in OPERATIONS.anyone, name in OPERATIONS.device]).toEqual([name, open, !open]);
  }
  expect([...Object.keys(OPERATIONS.anyone), ...Object.keys(OPERATIONS.device)].toSorted()).toEqual([...SERVED].toSorted());
});

test("the document has exactly the routes that are served, with their problems", () => {
  const { paths } = openApiDocument() as {
    paths: Record<string, Record<string, { operationId: string; responses: Record<string, { description: string }> }>>;
  };
  const operations = Object.values(paths).flatMap((methods) => Object.values(methods));
  expect(operations.map(({ operationId }) => operationId).toSorted()).toEqual([...SERVED].toSorted());
  const send = operations.find(({ operationId }) => operationId === "sendMessages");
  expect(send?.responses["409"]?.description).toBe("devices-changed");
  expect(Object.keys(send?.responses ?? {})).toEqual([
    "200",
    "400",
    "401",
    "404",
    "405",
    "409",
    "410",
    "413",
    "415",
    "429",
    "500",
    "503",
    "507",
  ]);
});
