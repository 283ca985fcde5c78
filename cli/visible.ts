// Other people's words, made safe for a terminal: what would move the cursor, set colours, change the clipboard or turn the
// reading direction is shown instead of obeyed. Knows nothing of who wrote them.

/** Control characters (also of the upper half, which terminals obey too), line ends, lone surrogates, changes of direction. */
const ACTIVE = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/** One line, whatever was in it. */
export function visible(text: string): string {
  return text.replaceAll(/\r?\n/g, " ⏎ ").replaceAll(ACTIVE, escape);
}

/** JSON that reads the same to a program; JSON.stringify alone leaves half of these characters as they are. */
export function visibleJson(value: unknown): string {
  return JSON.stringify(value).replaceAll(ACTIVE, escape);
}

function escape(character: string): string {
  return `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`;
}
