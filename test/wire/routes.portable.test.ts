import { expect, test } from "vitest";
import { COMMON_PROBLEMS, type Operation, pathOf, PROBLEM_STATUS, ROUTES, UsageError } from "#wire";

const ALL = Object.entries(ROUTES);

test("no two operations answer the same method and path", () => {
  const places = ALL.map(([, route]) => `${route.method} ${route.path.replace(/\{\w+\}/g, "{}")}`);
  expect(new Set(places).size).toBe(places.length);
});

test.each(ALL)("%s: version 1, a body only where a method has one, each problem once", (_, route) => {
  expect(route.path).toMatch(/^(\/v1\/|\/health$|\/openapi\.json$|\/\.well-known\/)/);
  if (["GET", "HEAD", "OPTIONS", "DELETE"].includes(route.method)) expect(route.request).toBe("none");
  else expect([route.request !== "none", route.auth === "access-secret"]).toContain(true);
  const problems = [...COMMON_PROBLEMS, ...route.problems];
  expect(new Set(problems).size).toBe(problems.length);
});

test("every problem has a status of a refusal, and belongs to some route", () => {
  const used = new Set([...COMMON_PROBLEMS, ...ALL.flatMap(([, route]) => route.problems)]);
  for (const [code, status] of Object.entries(PROBLEM_STATUS)) {
    expect(status).toBeGreaterThanOrEqual(400);
    expect([...used]).toContain(code);
  }
});

test("a path takes its parameters, and none that would lead elsewhere", () => {
  const userId = "01234567-89ab-8def-8123-456789abcd00";
  expect(pathOf("sendMessages", { userId })).toBe(`/v1/mailboxes/${userId}/messages`);
  expect(pathOf("getConfig")).toBe("/v1/config");
  for (const name of ["", ".", "..", "a/b", "a?b", "a#b", "a%2fb", "a b", "é", "\n"]) {
    expect(() => pathOf("getUsername", { name })).toThrow(UsageError);
  }
  expect(() => pathOf("getUsername")).toThrow(UsageError);
  const operation: Operation = "getUsername";
  expect(pathOf(operation, { name: "alice_1.b" })).toBe("/v1/usernames/alice_1.b");
});
