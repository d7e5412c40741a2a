import { asCrowdaiError } from "@crowdai/shared";
import { markedStep } from "@crowdai/shared/marked-steps";
import { iso } from "../../base/clock.ts";
import { repositoryName } from "../../domain/submissions/repository-name.ts";
import type { Needs } from "../../domain/submissions/services.ts";
import type { CodeRepositoryRow } from "../../records/tables.ts";
import type { CodeHost, HostedRepository } from "../code-hosts/code-host.ts";
import { type ChallengeRepositoryNeeds, currentChallengeRepository } from "./current-challenge-repository.ts";
import { CHALLENGE_ITSELF } from "./finalize-code.ts";
import type { Repositories } from "./repositories.ts";
import { takeRepository } from "./repository-lease.ts";

const BATCH = 50;
const FIRST_MS = 5000;
/** How long a broker that dies keeps others from mirroring a repository. */
const LEASE_MS = 30_000;
const MAX_WAIT_MS = 15 * 60_000;

/** The services that mirroring repositories uses. */
export type MirrorNeeds = ChallengeRepositoryNeeds &
  Needs<"catalog" | "log"> & { host: CodeHost; repositories: Pick<Repositories, "participant"> };

/**
 * Mirrors to the external host every repository that changed since its last mirroring, and all of them after
 * a change of host. A failure is retried with growing pauses, or at the time that the host names. Returns the
 * number of repositories mirrored.
 */
export async function mirrorRepositories(code: MirrorNeeds, leaseMs: number = LEASE_MS): Promise<number> {
  const { records, clock, host } = code;
  const due = await records.db
    .selectFrom("code_repositories")
    .selectAll()
    .where((eb) =>
      eb.or([eb("shown", "<", eb.ref("version")), eb("host", "is", null), eb("host", "!=", host.name)]),
    )
    .where("next_at", "<=", iso(clock()))
    .orderBy("next_at")
    .limit(BATCH)
    .execute();
  let shown = 0;
  for (const row of due) if (await show(code, row, leaseMs)) shown++;
  return shown;
}

async function show(code: MirrorNeeds, row: CodeRepositoryRow, leaseMs: number): Promise<boolean> {
  const { host, records, clock, log } = code;
  const key = { challenge: row.challenge, participant_id: row.participant_id };
  const lease = await markedStep("claim.repository", () => takeRepository(code, row, leaseMs));
  if (!lease) return false;
  let isHeld: boolean;
  let isShown = false;
  try {
    await pushToHost(code, row, lease.lost);
    const done = { shown: row.version, host: host.name, tries: 0, problem: null };
    isHeld = await lease.end({ ...done, next_at: iso(clock()) });
    isShown = isHeld;
  } catch (thrown) {
    const error = asCrowdaiError(thrown);
    const asked = Number(error.details?.retry_after_seconds ?? 0) * 1000;
    const wait = Math.max(asked, Math.min(MAX_WAIT_MS, FIRST_MS * 2 ** Math.min(row.tries, 20)));
    log.warn(
      { event: "code_host_mirror_failed", ...key, code: error.code, err: error.message },
      "code host update failed, retrying later",
    );
    const problem = `${error.code}: ${error.message}`.slice(0, 500);
    isHeld = await lease.end({ tries: row.tries + 1, problem, next_at: iso(clock().getTime() + wait) });
  }
  // Two brokers may have pushed at once: it is pushed again.
  if (!isHeld)
    await records.db
      .updateTable("code_repositories")
      .set({ shown: row.shown })
      .where((eb) => eb.and(key))
      .where("shown", ">", row.shown)
      .execute();
  return isShown;
}

async function pushToHost(code: MirrorNeeds, row: CodeRepositoryRow, lost: AbortSignal): Promise<void> {
  const { host, repositories, records, catalog } = code;
  if (row.participant_id === CHALLENGE_ITSELF) {
    const served = catalog.all().get(row.challenge);
    if (!served) return;
    const own: HostedRepository = { challenge: row.challenge, participant: null, edition: "private" };
    await host.ensure(own);
    const dir = await currentChallengeRepository(code, served.config);
    lost.throwIfAborted();
    return markedStep("publish.private-challenge", () => host.mirror(own, dir, lost));
  }
  const owner = await records.db
    .selectFrom("participants")
    .select(["id", "name"])
    .where("id", "=", row.participant_id)
    .executeTakeFirstOrThrow();
  const repository: HostedRepository = {
    challenge: row.challenge,
    participant: repositoryName(owner),
    edition: "private",
  };
  await host.ensure(repository);
  const dir = await repositories.participant(row.challenge, row.participant_id);
  lost.throwIfAborted();
  await markedStep("publish.private-repository", () => host.mirror(repository, dir, lost));
}
