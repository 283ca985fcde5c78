// Messages of before, on their way between devices of this account: a line whenever it has got to another step, and in between how far it
// is, for whoever watches.

import type { Client, HistoryTransfer } from "#client";
import { historyLine, isOver } from "./lines.ts";
import type { Output } from "./output.ts";
import { showProgress } from "./progress.ts";

/** Until the returned function is called. What was over before is not told again. `failed` gets what a line could not be written for. */
export function watchHistory(client: Client, output: Output, failed: (error: unknown) => void): () => void {
  const before = new Map<string, HistoryTransfer["state"]>();
  return client.devices.history.subscribe((transfers) => {
    for (const transfer of transfers) {
      const { direction, deviceId, state } = transfer;
      const name = `${direction} ${deviceId}`;
      const isNews = before.get(name) !== state && (before.has(name) || !isOver(transfer));
      before.set(name, state);
      if (isNews) {
        const { fields, people } = historyLine(transfer);
        output.line(fields, people).catch(failed);
      } else if (!isOver(transfer)) progress(output, transfer);
    }
  });
}

function progress(output: Output, transfer: HistoryTransfer): void {
  const { state, done, total } = transfer;
  if (state === "fetching") showProgress(output, "messages of before")(transfer);
  else if (total > 0) output.progress(`messages of before: ${done} of ${total} ${state === "sending" ? "files" : ""}`.trimEnd());
  else if (done > 0) output.progress(`messages of before: ${done}`);
}
