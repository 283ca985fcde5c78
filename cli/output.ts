// Where words go. Standard output is for what was asked, as lines for people or as JSON lines; standard error is for what people
// are told meanwhile, and for errors. Knows nothing of messages.

import { cannotWrite, type Failure } from "./errors.ts";
import { visible, visibleJson } from "./visible.ts";

/** Whoever read standard output has left (`edgewise listen | head`). Not an error: there is nobody to tell. */
export class ReaderGone extends Error {
  override readonly name = "ReaderGone";
}

export type Json = Readonly<Record<string, unknown>>;

export class Output {
  readonly json: boolean;
  #progress = false;

  constructor(json: boolean) {
    this.json = json;
  }

  /** Resolves when the line has left the process: only then may its event count as shown. `people` is already safe to print. */
  async line(fields: Json, people: string): Promise<void> {
    await this.result(`${this.json ? visibleJson(fields) : people}\n`);
  }

  /** Something for people only, in the place where they look for results. */
  async picture(text: string): Promise<void> {
    if (this.json) this.tell(text);
    else await this.result(`${text}\n`);
  }

  /** A remark. */
  tell(text: string): void {
    this.#endProgress();
    process.stderr.write(`${text}\n`);
  }

  /** One that a program can do without. */
  remark(text: string): void {
    if (!this.json) this.tell(text);
  }

  /** A line that replaces itself, for whoever watches; the last one stays. */
  progress(text: string): void {
    if (!process.stderr.isTTY) return;
    process.stderr.write(`\r\u001B[K${text}`);
    this.#progress = true;
  }

  error({ code, message, hint, id }: Failure): void {
    if (this.json) this.tell(visibleJson({ type: "error", code, message, hint, ...(id === undefined ? {} : { id }) }));
    else this.tell(`error: ${visible(message)}\n  ${visible(hint)}`);
  }

  result(text: string): Promise<void> {
    this.#endProgress();
    return new Promise((resolve, reject) => {
      process.stdout.write(text, (error) => {
        if (error === null || error === undefined) resolve();
        else reject(isReaderGone(error) ? new ReaderGone("", { cause: error }) : cannotWrite(error));
      });
    });
  }

  #endProgress(): void {
    if (this.#progress) process.stderr.write("\n");
    this.#progress = false;
  }
}

function isReaderGone(error: Error): boolean {
  return "code" in error && (error.code === "EPIPE" || error.code === "ERR_STREAM_DESTROYED");
}

/** Less important than the rest of a line. */
export function faint(text: string): string {
  const colours = process.stdout.isTTY && process.env["NO_COLOR"] === undefined;
  return colours ? `\u001B[2m${text}\u001B[22m` : text;
}
