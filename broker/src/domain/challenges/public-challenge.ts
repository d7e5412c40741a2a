import type { PublicChallenge, Round } from "@crowdai/shared";
import {
  type ChallengeConfig,
  challengeState,
  limitScope,
  openRound,
  type RoundConfig,
  roundNumber,
  roundState,
} from "@crowdai/shared/challenge-folder";
import type { ClosureTable } from "../../records/tables.ts";
import { functionsOf } from "../environments/challenge-functions.ts";
import { readChallengeServing, type ServingSources } from "../graders/queue-status.ts";
import { boardColumns } from "./board-columns.ts";
import type { ServedChallenge } from "./catalog.ts";
import { findClosure } from "./find-closure.ts";
import { publicEnvironment, type SeedSources } from "./public-environment.ts";
import { publicRun } from "./public-run.ts";

/** Returns a challenge as participants see it. Its closure is read when it is not given. */
export async function publicChallenge(
  challenge: ServedChallenge,
  context: ServingSources & SeedSources & { baseUrl: () => string },
  known?: ClosureTable | null,
): Promise<PublicChallenge> {
  const { config, data } = challenge;
  const { baseUrl, clock } = context;
  const now = clock();
  const closure = known === undefined ? await findClosure(context.records.db, config.id) : known;
  const isClosed = closure !== null;
  const page = `${baseUrl()}/challenges/${encodeURIComponent(config.id)}`;
  return {
    id: config.id,
    title: config.title,
    description: config.description,
    score: config.score,
    score_secondary: config.score_secondary,
    columns: boardColumns(config),
    final: config.final,
    rounds: config.rounds.map((round) => publicRound(config, round, isClosed, now)),
    round: isClosed ? null : (openRound(config, now)?.id ?? null),
    ...challengeState(config, isClosed, now),
    closed_at: closure?.closed_at ?? null,
    accepts: {
      file: config.accepts.file ?? null,
      json: config.accepts.json ?? null,
      code: config.accepts.code ?? null,
      model: config.accepts.model,
    },
    run: config.run && publicRun(config.run),
    environment: await publicEnvironment(context, config),
    check: config.check && publicCheck(config.check),
    functions: functionsOf(config).filter((name) => name !== config.check?.function),
    after_end: config.after_end,
    code: { capture: config.code.capture },
    data: data.map(({ name, size, sha256 }) => ({
      name,
      size,
      sha256,
      url: `${baseUrl()}/api/v1/challenges/${encodeURIComponent(config.id)}/data/${name.split("/").map(encodeURIComponent).join("/")}`,
    })),
    ...(await readChallengeServing(context, config)),
    url: page,
  };
}

function publicCheck({ schema, csv, function: called, charge }: NonNullable<ChallengeConfig["check"]>) {
  return { schema, csv, function: called, charge };
}

function publicRound(config: ChallengeConfig, round: RoundConfig, isClosed: boolean, now: Date): Round {
  const number = roundNumber(config, round.id);
  return {
    id: round.id,
    number,
    title: round.title ?? `Round ${number}`,
    starts_at: round.starts_at,
    ends_at: round.ends_at,
    state: isClosed ? "ended" : roundState(round, now),
    limit: round.limit && { ...round.limit, scope: limitScope(round.limit) },
    parallel_limit: round.parallel_limit,
    minimum_score: round.minimum_score,
  };
}
