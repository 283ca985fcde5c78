// An answer in time, or none: nothing that this Worker waits for may hang a request.

/** Something that we depend on did not answer, or said that it cannot now. Whoever asks again later may be served. */
export class Unavailable extends Error {
  override readonly name = "Unavailable";
  constructor(options?: ErrorOptions) {
    super("unavailable", options);
  }
}

/** What `work` resolves to. @throws Unavailable when that takes longer. */
export async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  let timer: number | null = null;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Unavailable()), milliseconds);
  });
  try {
    return await Promise.race([work, deadline]);
  } finally {
    clearTimeout(timer);
  }
}
