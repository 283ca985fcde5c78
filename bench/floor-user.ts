// Somebody who uses the floor: one HTTP request to send, one socket to read, one acknowledgement a message.

export interface User {
  register(): Promise<void>;
  sendTo(to: number, text: string): Promise<void>;
  /** Until `signal` aborts or the socket closes; `onEmpty` when all that was queued has come. */
  listen(take: (text: string) => void, signal: AbortSignal, onEmpty: () => void): Promise<void>;
}

export class FloorUser implements User {
  readonly #url: string;
  readonly #number: number;

  constructor(url: string, number: number) {
    this.#url = url;
    this.#number = number;
  }

  async register(): Promise<void> {}

  async sendTo(to: number, text: string): Promise<void> {
    const response = await fetch(`${this.#url}/${to}`, { method: "PUT", body: text, signal: AbortSignal.timeout(10_000) });
    if (!response.ok) throw new Error(`floor: ${response.status}`);
    await response.json();
  }

  async listen(take: (text: string) => void, signal: AbortSignal, onEmpty: () => void): Promise<void> {
    const socket = new WebSocket(`${this.#url.replace("http", "ws")}/${this.#number}`);
    socket.binaryType = "arraybuffer";
    await new Promise<void>((resolve) => {
      const close = (): void => socket.close();
      signal.addEventListener("abort", close, { once: true });
      socket.addEventListener("close", () => {
        signal.removeEventListener("abort", close);
        resolve();
      });
      socket.addEventListener("error", () => undefined);
      socket.addEventListener("message", ({ data }) => {
        if (!(data instanceof ArrayBuffer)) return;
        if (data.byteLength === 0) {
          onEmpty();
          return;
        }
        take(Buffer.from(data, 8).toString());
        socket.send(data.slice(0, 8));
      });
    });
  }
}
