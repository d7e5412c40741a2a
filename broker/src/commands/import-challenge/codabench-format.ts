import { z } from "zod";
import { countField, switchField, textField, timeField } from "./read-yaml.ts";

const column = z.looseObject({
  title: textField.optional(),
  key: textField,
  index: z.coerce.number().default(0),
  sorting: z.string().default("desc"),
  precision: z.coerce.number().int().min(0).max(15).catch(2),
  computation: textField.nullish(),
  hidden: switchField,
});
export const codabenchTask = z.looseObject({
  index: z.coerce.number(),
  name: textField.optional(),
  key: textField.optional(),
  scoring_program: textField.optional(),
  reference_data: textField.optional(),
});
export const codabenchPhase = z.looseObject({
  index: z.coerce.number().default(0),
  name: textField,
  description: textField.nullish(),
  start: timeField,
  end: timeField,
  max_submissions_per_day: countField,
  max_submissions: countField,
  /** Made of max_submissions: 0 of CodaLab; Codabench means no limit by it. */
  is_closed: switchField,
  execution_time_limit: countField,
  execution_time_limit_ms: countField,
  tasks: z.array(z.coerce.number()).min(1, "expected the index of a task"),
  leaderboard_management_mode: textField.nullish(),
  starting_kit: textField.nullish(),
  public_data: textField.nullish(),
});
/** The configuration of a competition of Codabench (competition.yaml). */
export const codabenchCompetition = z.looseObject({
  version: z.coerce.string().default(""),
  title: textField,
  description: textField.nullish(),
  image: textField.nullish(),
  terms: textField.nullish(),
  registration_auto_approve: switchField,
  pages: z.array(z.looseObject({ title: textField.default(""), file: textField })).nullish(),
  enable_detailed_results: switchField,
  tasks: z.array(codabenchTask).min(1, "expected a task"),
  phases: z.array(codabenchPhase).min(1, "expected a phase"),
  leaderboards: z
    .array(
      z.looseObject({
        hidden: switchField,
        title: textField.optional(),
        submission_rule: textField.nullish(),
        columns: z.array(column).min(1, "expected a column"),
      }),
    )
    .min(1, "expected a leaderboard"),
});
export type Competition = z.infer<typeof codabenchCompetition>;
export type Task = z.infer<typeof codabenchTask>;

export const ADD_PARTICIPANTS = "everyone with a key may take part: see crowdai-broker participant add";
const OWN_GRADERS = "programs run on your graders: install there what they import";
export const BEST_COUNTS = "the best submission counts";
const NOT_HERE = "there is no such setting";
/** Why fields have no place in a challenge folder. */
export const REASONS = {
  docker_image: OWN_GRADERS,
  queue: OWN_GRADERS,
  solutions: "solutions may give answers away; submit them yourself as baselines",
  make_programs_available: "the scoring program is private; copy it into public/ to show it",
  make_input_data_available: "put what participants may download into public/",
  forum_enabled: "there is no forum",
  enable_forum: "there is no forum",
  contact_email: "write it into the description",
  admin_names: "organizers have keys: see crowdai-broker organizer add",
  allow_teams: "teams are participants with several keys",
  allow_public_submissions: "participants publish their code with crowdai publish",
  anonymous_leaderboard: "the board shows the names of participants",
  show_datasets_from_yaml: NOT_HERE,
  enable_per_submission_metadata: "there is no form beside a submission; participants write a message",
  reward: "write it into the description",
  report: NOT_HERE,
  fact_sheet: "there is no form beside a submission; participants write a message",
  whitelist_emails: "participants have keys, not addresses",
  auto_run_submissions: "submissions are graded as they come",
  can_participants_make_submissions_public: "participants publish their code with crowdai publish",
  allow_robot_submissions: "every participant may submit from a program",
  has_registration: ADD_PARTICIPANTS,
  force_submission_to_leaderboard: BEST_COUNTS,
  disallow_leaderboard_modifying: NOT_HERE,
  show_detailed_results_in_submission_panel: "detailed_results says it for all",
  show_detailed_results_in_leaderboard: "only the author of a submission sees its detailed results",
};
export const PHASE_REASONS = {
  auto_migrate_to_this_phase: "submissions stay in their round; participants submit again",
  is_scoring_only: "no other program runs before the scoring program anyway",
  color: NOT_HERE,
  force_best_submission_to_leaderboard: BEST_COUNTS,
  datasets: "participants download what is in public/",
  hide_output:
    "participants never get the output of the scoring program, besides its scores and detailed results",
  hide_prediction_output: NOT_HERE,
  hide_score_output: "evaluator.private_results hides scores by name",
};
export const TASK_REASONS = {
  docker_image: OWN_GRADERS,
  ingestion_program:
    "no program runs before the scoring program; participants submit what it finds in $input/res",
  input_data: "it is for the ingestion program, and was not copied, because it may be secret",
  ingestion_only_during_scoring: "no program runs before the scoring program",
};
