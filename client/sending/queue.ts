// The queue of what is to be sent: jobs by recipient, and how many each recipient has. The number is written with the jobs, so
// that nobody has to open all of them to know whom there is something for. Knows nothing of sending.

import type { UserId } from "#wire";
import { JOBS, type Job, WAITING } from "../records/tables.ts";
import type { Reader, Writer } from "../records/vault.ts";

export async function addJob(records: Writer, job: Job): Promise<void> {
  records.put(JOBS, job, job.recipient, job.ordinal);
  await count(records, job.recipient, 1);
}

/** Once: another program that sends for this account may have done it. */
export async function removeJob(records: Writer, { recipient, ordinal }: Job): Promise<void> {
  if ((await records.get(JOBS, recipient, ordinal)) === undefined) return;
  records.delete(JOBS, recipient, ordinal);
  await count(records, recipient, -1);
}

export async function recipientsOf(records: Reader): Promise<readonly UserId[]> {
  return (await records.all(WAITING)).map(({ recipient }) => recipient);
}

export async function countJobs(records: Reader): Promise<number> {
  return (await records.all(WAITING)).reduce((sum, { jobs }) => sum + jobs, 0);
}

async function count(records: Writer, recipient: UserId, added: 1 | -1): Promise<void> {
  const jobs = ((await records.get(WAITING, recipient))?.jobs ?? 0) + added;
  if (jobs > 0) records.put(WAITING, { recipient, jobs }, recipient);
  else records.delete(WAITING, recipient);
  records.touch("jobs");
}
