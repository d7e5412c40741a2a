import { asCrowdaiError } from "@crowdai/shared";
import { markedStep } from "@crowdai/shared/marked-steps";
import { iso } from "../../base/clock.ts";
import { findClosure } from "../../domain/challenges/find-closure.ts";
import { publishDue } from "../../domain/publishing/publish-due.ts";
import { repositoryName } from "../../domain/submissions/repository-name.ts";
import type { Needs } from "../../domain/submissions/services.ts";
import type { ClosureTable } from "../../records/tables.ts";
import type { CodeHost } from "../code-hosts/code-host.ts";
import { relativeUrl } from "../code-hosts/hosted-repository-name.ts";
import type { Pin } from "../repositories/challenge-repository.ts";
import { CHALLENGE_ITSELF } from "../repositories/finalize-code.ts";
import type { Repositories } from "../repositories/repositories.ts";
import { recordPublicCommit } from "./public-challenge-repository.ts";
import type { PublicRepositories } from "./public-repositories.ts";

const FIRST_WAIT_MS = 5000;
const MAX_WAIT_MS = 10 * 60_000;

/** The services that publishing code uses. */
export type PublishNeeds = Needs<"records" | "catalog" | "clock" | "log"> & {
  host: CodeHost;
  repositories: Pick<Repositories, "git">;
  publicRepositories: PublicRepositories;
};

/**
 * Publishes the code that is due: builds the public repositories, records the challenge's public commit and
 * mirrors everything to an external code host. May be interrupted at any point and repeated, by any broker.
 */
export async function sweepPublishing(context: PublishNeeds): Promise<void> {
  const { records, clock, log } = context;
  const closures = await records.db.selectFrom("closures").select("challenge").execute();
  for (const { challenge } of closures) {
    try {
      await publishDue(records, challenge, clock());
      const closure = await findClosure(records.db, challenge);
      if (closure && (closure.shown < closure.version || (await isElsewhere(context, challenge))))
        await show(context, closure);
    } catch (error) {
      log.error({ event: "publishing_failed", challenge, err: error }, "publishing failed");
    }
  }
}

/** Returns whether published code is, in part, at another host than the current one. */
async function isElsewhere(
  { host, records }: Pick<PublishNeeds, "host" | "records">,
  challenge: string,
): Promise<boolean> {
  if (!host.outside) return false;
  const { db } = records;
  const { authors } = await db
    .selectFrom("publications")
    .select(({ fn }) => fn.count<number>("participant_id").distinct().as("authors"))
    .where("challenge", "=", challenge)
    .executeTakeFirstOrThrow();
  const { here } = await db
    .selectFrom("shown_repositories")
    .select(({ fn }) => fn.countAll<number>().as("here"))
    .where("challenge", "=", challenge)
    .where("host", "=", host.name)
    .where("problem", "is", null)
    .executeTakeFirstOrThrow();
  // One more than the authors: the challenge's own repository.
  return Number(authors) > 0 && Number(here) < Number(authors) + 1;
}

async function show(context: PublishNeeds, closure: ClosureTable): Promise<void> {
  const { records, catalog, clock } = context;
  const { challenge, version } = closure;
  const authors = await readAuthors(context, challenge);
  const pins: Pin[] = [];
  for (const author of authors) pins.push(await pinOf(context, challenge, author));
  const title = catalog.all().get(challenge)?.config.title ?? challenge;
  await recordPublicCommit(records, { id: challenge, title }, pins, clock());
  const { last } = await records.db
    .selectFrom("public_challenge_commits")
    .select(({ fn }) => fn.max("number").as("last"))
    .where("challenge", "=", challenge)
    .executeTakeFirstOrThrow();
  let all = true;
  if (context.host.outside) {
    for (const { id, name, seq } of authors)
      all =
        (await showOutside(context, challenge, { id, name: repositoryName({ id, name }), wanted: seq })) &&
        all;
    if (last !== null && all)
      all = await showOutside(context, challenge, { id: CHALLENGE_ITSELF, name: null, wanted: Number(last) });
  }
  if (all)
    await records.db
      .updateTable("closures")
      .set({ shown: version })
      .where("challenge", "=", challenge)
      .where("shown", "<", version)
      .execute();
}

interface Author {
  id: number;
  name: string;
  seq: number;
}

async function readAuthors({ records }: Needs<"records">, challenge: string): Promise<Author[]> {
  return records.db
    .selectFrom("publications")
    .innerJoin("participants", "participants.id", "publications.participant_id")
    .select(({ fn }) => ["participants.id", "participants.name", fn.max("publications.seq").as("seq")])
    .where("publications.challenge", "=", challenge)
    .groupBy(["participants.id", "participants.name"])
    .orderBy("participants.id")
    .execute();
}

async function pinOf(context: PublishNeeds, challenge: string, author: Author): Promise<Pin> {
  const { host, publicRepositories } = context;
  const { git } = context.repositories;
  const dir = (await publicRepositories.participant(challenge, author.id)) as string;
  const commit = (await git.must(["rev-parse", "refs/heads/main"], { dir })).toString().trim();
  const path = repositoryName(author);
  const whole = { challenge, participant: null, edition: "public" as const };
  const url = host.outside
    ? relativeUrl(host.cloneUrl(whole), host.cloneUrl({ ...whole, participant: path }))
    : // Relative, so that it works under any address of the broker.
      `../${challenge}/${path}.git`;
  return { path, url, commit };
}

/**
 * Mirrors one public repository to the code host. Returns whether it is up to date there; a failure is
 * retried later.
 */
async function showOutside(
  { records, clock, log, host, publicRepositories }: PublishNeeds,
  challenge: string,
  { id, name, wanted }: { id: number; name: string | null; wanted: number },
): Promise<boolean> {
  const { db } = records;
  const known = await db
    .selectFrom("shown_repositories")
    .selectAll()
    .where("challenge", "=", challenge)
    .where("participant_id", "=", id)
    .executeTakeFirst();
  const here = known?.host === host.name ? known : undefined;
  if (here && here.shown >= wanted) return true;
  if (here && here.next_at > iso(clock())) return false;
  const save = async (values: { shown: number; tries: number; next_at: string; problem: string | null }) => {
    const row = { host: host.name, ...values };
    await db
      .insertInto("shown_repositories")
      .values({ challenge, participant_id: id, ...row })
      .onConflict((conflict) => conflict.columns(["challenge", "participant_id"]).doUpdateSet(row))
      .execute();
  };
  try {
    const dir =
      id === CHALLENGE_ITSELF
        ? await publicRepositories.challenge(challenge)
        : await publicRepositories.participant(challenge, id);
    const repository = { challenge, participant: name, edition: "public" as const };
    await host.ensure(repository);
    await markedStep("publish.mirror", () => host.mirror(repository, dir as string));
    await markedStep("publish.repository", () => host.publish(repository));
    await save({ shown: wanted, tries: 0, next_at: iso(clock()), problem: null });
    return true;
  } catch (thrown) {
    const error = asCrowdaiError(thrown);
    const tries = (here?.tries ?? 0) + 1;
    const asked = Number(error.details?.retry_after_seconds ?? 0) * 1000;
    const wait = Math.max(asked, Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(tries - 1, 10)));
    log.warn(
      { event: "publishing_mirror_failed", challenge, repository: name ?? challenge, err: thrown },
      "published code mirror failed, retrying later",
    );
    await save({
      shown: here?.shown ?? 0,
      tries,
      next_at: iso(clock().getTime() + wait),
      problem: error.code === "unexpected" ? "The code host cannot be used." : error.message,
    });
    return false;
  }
}
