// The network of an address: what one customer of a provider usually has, a /24 of IPv4 or a /56 of IPv6. Whoever has
// more of them than that can pass for several.

/** Equal for addresses of one network; the whole text when it is no address. */
export function networkOf(address: string): string {
  const v4 = /^(?:::ffff:)?(\d{1,3}\.\d{1,3}\.\d{1,3})\.\d{1,3}$/i.exec(address);
  if (v4?.[1] !== undefined) return v4[1];
  if (!/^[0-9a-f:]+$/i.test(address) || !address.includes(":")) return address;
  const [head = "", tail] = address.toLowerCase().split("::");
  const front = groupsOf(head);
  const back = groupsOf(tail ?? "");
  const middle = tail === undefined ? 0 : Math.max(0, 8 - front.length - back.length);
  const groups = [...front, ...Array.from({ length: middle }, () => 0), ...back];
  return groups
    .slice(0, 4)
    .map((group, at) => (at === 3 ? group >> 8 : group).toString(16))
    .join(":");
}

function groupsOf(text: string): readonly number[] {
  return text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
}
