import type { Reading } from "./draft.ts";
import type { EvalaiChallenge } from "./evalai-format.ts";
import { lineOf } from "./page-text.ts";

/**
 * Values of a split's visibility: 1 shows its metrics to the host alone, 2 to the participant too, 3 to
 * everyone.
 */
const HOST_ONLY = 1;
const EVERYONE = 3;

/**
 * Makes score, columns and the names of the evaluator's metrics from the first leaderboard and the splits of
 * the phases.
 */
export function evalaiScores(reading: Reading, given: EvalaiChallenge) {
  const { leaveOut, problem } = reading;
  const [board, ...others] = given.leaderboard;
  for (const { id } of others)
    leaveOut(`leaderboard ${id}`, "a challenge has one board, of the first leaderboard");
  const { labels, default_order_by: ordered = labels[0]!, metadata } = board!.schema;
  if (!labels.includes(ordered))
    problem(`leaderboard: default_order_by: ${JSON.stringify(ordered)} is none of the labels`);
  const ofBoard = given.challenge_phase_splits.filter(({ leaderboard_id }) => leaderboard_id === board!.id);
  const precision = ofBoard[0]?.leaderboard_decimal_precision ?? 2;
  const isDescending = ofBoard.every((one) => one.is_leaderboard_order_descending !== false);
  const orderOf = (label: string, otherwise: boolean) =>
    (metadata?.[label]?.sort_ascending ?? !otherwise) ? "ascending" : "descending";
  const { prefix, hidden } = splitsOf(reading, given);
  const rest = labels.filter((label, at) => label !== ordered && labels.indexOf(label) === at);
  return {
    fields: {
      score: { title: lineOf(ordered, 60), order: orderOf(ordered, isDescending), precision },
      ...(rest.length === 0
        ? {}
        : {
            columns: rest.slice(0, 20).map((label) => ({
              ...{ key: `${prefix}${label}`.slice(0, 100), title: lineOf(label, 60) },
              ...{ order: orderOf(label, true), precision },
            })),
          }),
    },
    names: { metric: `${prefix}${ordered}`, ...(hidden.length === 0 ? {} : { private_results: hidden }) },
  };
}

/**
 * Returns the split whose metrics are shown, as the beginning of their names, and the splits that only
 * organizers see. The name is empty where each phase has one split.
 */
function splitsOf(
  { leaveOut, problem }: Reading,
  given: EvalaiChallenge,
): { prefix: string; hidden: string[] } {
  const names = new Map(given.dataset_splits.map(({ id, codename }) => [id, codename]));
  const byPhase = given.challenge_phases.map(({ id, name }) => ({
    name,
    splits: given.challenge_phase_splits
      .filter(({ challenge_phase_id }) => challenge_phase_id === id)
      .map(({ dataset_split_id, visibility }) => ({
        split: names.get(dataset_split_id),
        dataset_split_id,
        visibility,
      })),
  }));
  for (const { name, splits } of byPhase) {
    for (const { split, dataset_split_id } of splits)
      if (split === undefined)
        problem(`challenge_phase_splits: there is no dataset split ${dataset_split_id}`);
    if (splits.length > 0 && !splits.some(({ visibility }) => visibility === EVERYONE))
      leaveOut(
        `hidden scores of phase ${JSON.stringify(name)}`,
        "participants see the score of their own submissions; hide it with score_final",
      );
  }
  const all = byPhase.flatMap(({ splits }) => splits);
  const isShown = (split: string | undefined) =>
    all.some((one) => one.split === split && one.visibility !== HOST_ONLY);
  const hidden = [...new Set(all.map(({ split }) => split))].filter(
    (split) => split !== undefined && !isShown(split),
  ) as string[];
  for (const { name, splits } of byPhase)
    for (const { split, visibility } of splits)
      if (visibility === HOST_ONLY && isShown(split))
        leaveOut(
          `hidden split ${split} of phase ${JSON.stringify(name)}`,
          "a split is hidden in all rounds or in none; this one is shown in others",
        );
  if (byPhase.every(({ splits }) => splits.length <= 1)) return { prefix: "", hidden };
  // The split that everyone sees in all phases, or else one that everyone sees in some.
  const isCommon = (split: string | undefined, sees: (visibility: number) => boolean) =>
    byPhase.every(({ splits }) => splits.some((one) => one.split === split && sees(one.visibility)));
  const shown = all.filter(({ visibility }) => visibility === EVERYONE);
  const common = (
    shown.find(({ split }) => isCommon(split, (visibility) => visibility === EVERYONE)) ??
    shown.find(({ split }) => isCommon(split, () => true))
  )?.split;
  if (common !== undefined) return { prefix: `${common}.`, hidden };
  leaveOut(
    "leaderboards of several splits",
    "the score is the metric of the first split that evaluate() returns: see evaluator.metric",
  );
  return { prefix: "", hidden };
}
