// The families of errors, divided by who must act. Every case has a literal code; the text never
// holds user data, an id or a key. What an honest peer can cause is a value, not one of these.

/** The bytes are not what they claim to be: drop them, count them. */
export type WireCode =
  | "truncated"
  | "trailing"
  | "too-long"
  | "bad-utf8"
  | "bad-hex"
  | "bad-field"
  | "bad-length"
  | "bad-value"
  | "bad-id"
  | "missing-field"
  | "not-canonical"
  | "unknown-critical"
  | "unknown-version"
  | "legacy-version"
  | "too-many";

/** Well-formed, but not authentic or not acceptable: this one message is refused. */
export type ProtocolCode =
  | "bad-key"
  | "bad-key-agreement"
  | "bad-signature"
  | "bad-tag"
  | "bad-digest"
  | "bad-padding"
  | "bad-address"
  | "bad-state"
  | "bad-certificate"
  | "expired"
  | "duplicate"
  | "too-far-ahead"
  | "no-session"
  | "no-prekey"
  | "no-sender-key"
  | "stale-session"
  | "replayed"
  | "identity-changed"
  | "not-authorized"
  | "out-of-order"
  | "broken-chain"
  | "upgrade-required"
  | "over-limit"
  | "self-send";

export class WireError extends Error {
  override readonly name = "WireError";
  readonly code: WireCode;
  constructor(code: WireCode, options?: ErrorOptions) {
    super(code, options);
    this.code = code;
  }
}

export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
  readonly code: ProtocolCode;
  constructor(code: ProtocolCode, options?: ErrorOptions) {
    super(code, options);
    this.code = code;
  }
}

/** The calling program is wrong; its developer must act. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  readonly code: "bad-argument" | "wiped-secret" | "wrong-order";
  constructor(code: UsageError["code"], detail: string) {
    super(`${code}: ${detail}`);
    this.code = code;
  }
}

/** We are wrong. Names the invariant of docs/invariants.md that does not hold; nothing a peer sends can cause it. */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
  readonly code: `INV-${string}`;
  constructor(code: `INV-${string}`, detail: string) {
    super(`${code}: ${detail}`);
    this.code = code;
  }
}

/** Ends a `switch` over a union; reaching it means that the compiler was overruled. */
export function assertNever(value: never): never {
  throw new InvariantError("INV-00", `unexpected case of type ${typeof value}`);
}
