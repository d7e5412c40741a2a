import { z } from "zod";
import { countField, switchField, textField, timeField } from "./read-yaml.ts";

export const evalaiPhase = z.looseObject({
  id: z.coerce.number(),
  name: textField,
  description: textField.nullish(),
  codename: textField.nullish(),
  start_date: timeField,
  end_date: timeField,
  test_annotation_file: textField.nullish(),
  leaderboard_public: switchField,
  is_public: switchField,
  max_submissions_per_day: countField,
  max_submissions_per_month: countField,
  max_submissions: countField,
  max_concurrent_submissions_allowed: countField,
  allowed_submission_file_types: z.union([textField, z.array(textField)]).nullish(),
});
/** The configuration of a challenge of EvalAI (challenge_config.yaml). */
export const evalaiChallenge = z.looseObject({
  title: textField,
  short_description: textField.nullish(),
  description: textField.nullish(),
  evaluation_details: textField.nullish(),
  submission_guidelines: textField.nullish(),
  terms_and_conditions: textField.nullish(),
  leaderboard_description: textField.nullish(),
  image: textField.nullish(),
  evaluation_script: textField,
  remote_evaluation: switchField,
  is_docker_based: switchField,
  is_static_dataset_code_upload: switchField,
  published: switchField,
  start_date: timeField,
  end_date: timeField,
  leaderboard: z
    .array(
      z.looseObject({
        id: z.coerce.number(),
        schema: z.looseObject({
          labels: z.array(textField).min(1, "expected a label"),
          default_order_by: textField.optional(),
          metadata: z.record(z.string(), z.looseObject({ sort_ascending: switchField })).nullish(),
        }),
      }),
    )
    .min(1, "expected a leaderboard"),
  challenge_phases: z.array(evalaiPhase).min(1, "expected a phase"),
  dataset_splits: z.array(z.looseObject({ id: z.coerce.number(), codename: textField })).default([]),
  challenge_phase_splits: z
    .array(
      z.looseObject({
        challenge_phase_id: z.coerce.number(),
        leaderboard_id: z.coerce.number(),
        dataset_split_id: z.coerce.number(),
        visibility: z.coerce.number().catch(3),
        leaderboard_decimal_precision: z.coerce.number().int().min(0).max(15).catch(2),
        is_leaderboard_order_descending: switchField,
      }),
    )
    .default([]),
});
export type EvalaiChallenge = z.infer<typeof evalaiChallenge>;
export type EvalaiPhase = EvalaiChallenge["challenge_phases"][number];

const KEYS_NOT_ADDRESSES = "participants have keys, not addresses";
/** Why fields have no place in a challenge folder. */
export const EVALAI_REASONS = {
  tags: "there are no tags; write them into the description",
  domain: "there are no tags; write it into the description",
  allowed_email_domains: KEYS_NOT_ADDRESSES,
  blocked_email_domains: KEYS_NOT_ADDRESSES,
  blocked_emails_domains: KEYS_NOT_ADDRESSES,
  max_team_members: "teams are participants with several keys, of any number",
  contact_email: "write it into the description",
  queue: "graders run on your machines",
  worker_image_url: "scripts run on your graders: install there what they import",
  cpu_only_jobs: "scripts run on your graders",
  job_cpu_cores: "scripts run on your graders",
  job_memory: "set evaluator.memory_mb",
  ephemeral_storage: "scripts run on your graders",
  evaluator_name: "there is no such setting",
};
export const EVALAI_PHASE_REASONS = {
  submission_meta_attributes: "there is no form beside a submission; participants write a message",
  default_submission_meta_attributes: "there is no form beside a submission; participants write a message",
  is_submission_public: "the leaderboard shows the best submission of each participant",
  is_restricted_to_select_one_submission: "the best submission counts; see final for a selection",
  is_partial_submission_evaluation_enabled: "a submission is graded as a whole",
  is_active: "the dates of the round decide",
  environment_image: "no images are run",
  disable_logs: "participants never see logs of the evaluation",
  submission_timeout: "set evaluator.timeout_seconds",
};
