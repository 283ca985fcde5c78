// A refusal as an answer: a problem document (RFC 9457) with a code of wire/routes.ts. It names nobody and quotes nothing.

import { PROBLEM_STATUS, type ProblemCode } from "#wire";

export interface ProblemDetails {
  /** Why, as a code of wire/errors.ts: what a developer needs to find the mistake. */
  readonly reason?: string;
  readonly retryAfterSeconds?: number;
  /** Further members of the document. */
  readonly members?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Thrown by whoever refuses; answered in one place. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly code: ProblemCode;
  readonly details: ProblemDetails;

  constructor(code: ProblemCode, details: ProblemDetails = {}) {
    super(code);
    this.code = code;
    this.details = details;
  }
}

export function problemResponse({ code, details }: Problem): Response {
  const { reason, retryAfterSeconds, members, headers } = details;
  const status = PROBLEM_STATUS[code];
  // `about:blank` (RFC 9457 section 4.2.1): the status says what kind it is, the code which.
  const body = { type: "about:blank", status, code, ...(reason === undefined ? {} : { reason }), ...members };
  return new Response(JSON.stringify(body), {
    status,
    headers: {
      "content-type": "application/problem+json",
      ...(retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) }),
      ...headers,
    },
  });
}
