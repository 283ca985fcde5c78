/** Calls one of the two when it is known. */
export async function whenKnown<T>(work: Promise<T>, then: (value: T) => void, otherwise: (error: unknown) => void): Promise<void> {
  let value: T;
  try {
    value = await work;
  } catch (error) {
    otherwise(error);
    return;
  }
  then(value);
}
