import type { CodeFlags } from "./code/submission-code.ts";

/** The options of `crowdai submit`. */
export interface SubmitFlags extends CodeFlags {
  json?: string;
  challenge?: string;
  round?: string;
  wait?: boolean;
  notify?: boolean;
  timeout?: number;
  minScore?: number;
  dryRun?: boolean;
  /** The folder to seal the submission in, or true for the default one. */
  spool?: string | true;
  /** Whether the check of the challenge is tried before anything is sent; by default, if there is one. */
  check?: boolean;
  model?: string[];
}
