export { type CheckConfig, type CsvShape, csvShapeSchema } from "./check-config.ts";
export { type Checked, checkFile, type FormatRules, idsOf } from "./check-file.ts";
export {
  checkFailed,
  type FormatProblem,
  type FormatProblems,
  MAX_PROBLEMS,
  problemOf,
  problemsText,
} from "./format-problem.ts";
