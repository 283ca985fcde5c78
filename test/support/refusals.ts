// What a call threw, for tests that look at the error itself. Knows nothing about which errors are right.

/** @throws Error when `call` returns. */
export function thrownBy(call: () => unknown): Error {
  try {
    call();
  } catch (error) {
    if (error instanceof Error) return error;
    throw new TypeError("something that is not an error was thrown", { cause: error });
  }
  throw new Error("nothing was thrown");
}
