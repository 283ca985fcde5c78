// Where a new mailbox should live: near whoever registers. It is asked once and holds for ever.

export interface Place {
  readonly continent?: string | undefined;
  readonly longitude?: string | undefined;
}

/** What the platform says about where a request comes from. */
export function placeOf(request: Request): Place {
  return (request.cf ?? {}) as Place; // an incoming request's `cf` has these members, or they are absent
}

/** `undefined` where the platform had better choose. */
export function locationHintOf({ continent, longitude }: Place): DurableObjectLocationHint | undefined {
  const east = longitude === undefined ? Number.NaN : Number(longitude);
  switch (continent) {
    case "AF":
      return "afr";
    case "AS":
      return east < 60 ? "me" : "apac";
    case "EU":
      return east > 20 ? "eeur" : "weur";
    case "NA":
      return east < -100 ? "wnam" : "enam";
    case "OC":
      return "oc";
    case "SA":
      return "sam";
    default:
      return undefined;
  }
}
