// The queue of what is to be sent: jobs by recipient, or by group, and how many each has. The number is written with the jobs, so
// that nobody has to open all of them to know whom there is something for. Knows nothing of sending.

import { type ConversationId, GROUP_JOBS, type GroupJob, JOBS, type Job, WAITING } from "../records/tables.ts";
import type { Reader, Writer } from "../records/vault.ts";

export async function addJob(records: Writer, job: Job): Promise<void> {
  records.put(JOBS, job, job.recipient, job.ordinal);
  await count(records, job.recipient, 1);
}

export async function addGroupJob(records: Writer, job: GroupJob): Promise<void> {
  records.put(GROUP_JOBS, job, job.groupId, job.ordinal);
  await count(records, job.groupId, 1);
}

/** Once: another program that sends for this account may have done it, and then this is false. */
export async function removeJob(records: Writer, { recipient, ordinal }: Job): Promise<boolean> {
  if ((await records.get(JOBS, recipient, ordinal)) === undefined) return false;
  records.delete(JOBS, recipient, ordinal);
  await count(records, recipient, -1);
  return true;
}

/** The same for a group. */
export async function removeGroupJob(records: Writer, { groupId, ordinal }: GroupJob): Promise<boolean> {
  if ((await records.get(GROUP_JOBS, groupId, ordinal)) === undefined) return false;
  records.delete(GROUP_JOBS, groupId, ordinal);
  await count(records, groupId, -1);
  return true;
}

export async function recipientsOf(records: Reader): Promise<readonly ConversationId[]> {
  return (await records.all(WAITING)).map(({ recipient }) => recipient);
}

export async function countJobs(records: Reader): Promise<number> {
  return (await records.all(WAITING)).reduce((sum, { jobs }) => sum + jobs, 0);
}

async function count(records: Writer, recipient: ConversationId, added: 1 | -1): Promise<void> {
  const jobs = ((await records.get(WAITING, recipient))?.jobs ?? 0) + added;
  if (jobs > 0) records.put(WAITING, { recipient, jobs }, recipient);
  else records.delete(WAITING, recipient);
  records.touch("jobs");
}
