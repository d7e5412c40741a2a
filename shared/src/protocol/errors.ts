/**
 * The catalog of errors. One row per code; every program, the JSON output and docs/errors.md read it from here.
 *
 * `fault` says whose turn it is to act: "you" (the participant or caller), "challenge" (its organiser) or
 * "platform". A submission that ends by the fault of the challenge or the platform costs no slot.
 */
export type Fault = "you" | "challenge" | "platform";

export interface CatalogRow {
  fault: Fault;
  /** HTTP status where the error is the answer to a request. */
  http: number;
  /** Exit code of the command line (see docs/errors.md). */
  exit: number;
  /** Whether the same request may succeed later without being changed. */
  retryable: boolean;
  /** One line that names the error without details. */
  title: string;
  /** What to do next. */
  next: string;
}

const row = (
  fault: Fault,
  http: number,
  exit: number,
  retryable: boolean,
  title: string,
  next: string,
): CatalogRow => ({ fault, http, exit, retryable, title, next });

export const catalog = {
  // Using the command line and the API
  usage: row("you", 400, 2, false, "The command or request is not well formed.", "See --help."),
  unexpected: row(
    "platform",
    500,
    1,
    false,
    "Something unexpected happened.",
    "Run again with CROWDAI_DEBUG=1 and report what it prints.",
  ),
  interrupted: row(
    "you",
    499,
    130,
    true,
    "Interrupted.",
    "A submission that was accepted goes on; reattach with `crowdai watch`.",
  ),
  config_invalid: row(
    "you",
    400,
    2,
    false,
    "A settings file has mistakes.",
    "Correct the fields named above.",
  ),
  message_too_large: row("you", 413, 4, false, "The message is too large.", "Send large values as a file."),
  too_many_requests: row(
    "you",
    429,
    4,
    true,
    "Too many requests at once.",
    "Wait for the earlier ones to end, then try again.",
  ),
  not_found: row("you", 404, 2, false, "There is nothing at this address.", "See /openapi.json."),

  broker_busy: row("platform", 503, 5, true, "The broker has too much to do.", "Try again in a moment."),

  // Who is calling
  no_key: row("you", 401, 3, false, "No API key.", "Sign in with `crowdai login`, or set CROWDAI_API_KEY."),
  key_malformed: row(
    "you",
    401,
    3,
    false,
    "The API key is mistyped.",
    "Copy the whole key, from `crowdai_` to its last character.",
  ),
  key_unknown: row(
    "you",
    401,
    3,
    false,
    "The broker does not know this API key.",
    "Check --broker, or ask the organiser for a key.",
  ),
  key_revoked: row("you", 401, 3, false, "This API key was revoked.", "Ask the organiser for a new key."),
  not_allowed: row(
    "you",
    403,
    3,
    false,
    "This key may not do that.",
    "Check whose key is in use with `crowdai whoami`.",
  ),
  agreement_missing: row(
    "you",
    403,
    3,
    false,
    "Publishing needs your agreement to the MIT licence.",
    "Run `crowdai agree` in a terminal.",
  ),
  agreement_outdated: row(
    "you",
    409,
    3,
    false,
    "The licence text has changed since it was shown.",
    "Read the current one: run `crowdai agree` in a terminal.",
  ),

  // Publishing code
  nothing_to_publish: row(
    "you",
    422,
    4,
    false,
    "The submission holds nothing that could be published.",
    "Submit with --code, or with --model.",
  ),
  challenge_closed: row(
    "you",
    403,
    4,
    false,
    "The challenge has closed.",
    "What was published stays public; see it with `crowdai challenge`.",
  ),
  challenge_running: row(
    "you",
    409,
    2,
    false,
    "The challenge still runs.",
    "Wait for its last round to end, or close it early with --force.",
  ),
  code_unavailable: row(
    "you",
    404,
    2,
    false,
    "There is no code of this submission to read.",
    "See whether it has code, and whether it is published, with `crowdai show`.",
  ),
  diff_too_large: row(
    "you",
    413,
    4,
    false,
    "The difference is too large to show.",
    "Clone one of them (`crowdai clone`) and compare with git.",
  ),
  git_failed: row("you", 500, 1, false, "Git did not do what was asked.", "See what git said above."),
  folder_exists: row("you", 409, 2, false, "The folder exists already.", "Name another one."),
  fork_refused: row(
    "you",
    403,
    3,
    false,
    "The code host did not fork the repository.",
    "Fork it on the page named above.",
  ),

  // What was asked for
  challenge_unknown: row(
    "you",
    404,
    2,
    false,
    "There is no such challenge.",
    "List the challenges with `crowdai challenges`.",
  ),
  challenge_missing: row(
    "you",
    400,
    2,
    false,
    "No challenge was named.",
    "Use -c <id>, CROWDAI_CHALLENGE, or `crowdai init`.",
  ),
  round_unknown: row(
    "you",
    404,
    2,
    false,
    "The challenge has no such round.",
    "See the rounds with `crowdai challenge`.",
  ),
  function_unknown: row(
    "you",
    404,
    2,
    false,
    "The challenge's evaluator has no such function.",
    "See its functions with `crowdai challenge`.",
  ),
  submission_unknown: row(
    "you",
    404,
    2,
    false,
    "There is no such submission here.",
    "List yours with `crowdai submissions`, and check --broker.",
  ),
  id_conflict: row(
    "you",
    409,
    4,
    false,
    "This submission id was used for something else.",
    "Let the client make a new id.",
  ),
  object_missing: row(
    "you",
    404,
    2,
    false,
    "There is no such object.",
    "Ask for the address again: signed addresses end after minutes.",
  ),
  object_exists: row(
    "you",
    409,
    4,
    false,
    "This object was already written.",
    "Objects are never overwritten; make a new submission.",
  ),
  signature_invalid: row(
    "you",
    403,
    3,
    false,
    "The signed address does not fit this request.",
    "Ask for the address again.",
  ),

  // Rules
  round_not_open: row("you", 403, 4, false, "No round is open.", "See the dates with `crowdai challenge`."),
  no_slots: row(
    "you",
    403,
    4,
    true,
    "No submission slots are left.",
    "See when the next one comes with `crowdai limits`.",
  ),
  parallel_limit: row(
    "you",
    403,
    4,
    true,
    "Too many of your submissions are waiting for a grade.",
    "Wait for one to end (`crowdai submissions`), or cancel one.",
  ),
  not_qualified: row(
    "you",
    403,
    4,
    false,
    "You have not reached the score this round asks for.",
    "See the previous round's leaderboard.",
  ),
  webapp_refused: row(
    "you",
    403,
    4,
    false,
    "The challenge's webapp refused the submission.",
    "See the challenge's page at the webapp, or ask its organiser.",
  ),
  kind_not_accepted: row(
    "you",
    422,
    4,
    false,
    "The challenge does not accept this kind of submission.",
    "See what it accepts with `crowdai challenge`.",
  ),

  // Code
  code_off: row("you", 422, 4, false, "The challenge takes no code.", "Submit without --code."),
  code_required: row("you", 422, 4, false, "The challenge asks for code.", "Submit with --code."),
  code_too_large: row(
    "you",
    413,
    4,
    false,
    "The code is too large.",
    "Leave out what it does not need, in .gitignore or crowdai.json.",
  ),
  code_unfit: row(
    "you",
    422,
    4,
    false,
    "The code cannot be taken as it is.",
    "Correct what the message names and push again.",
  ),
  code_push_refused: row(
    "you",
    403,
    4,
    false,
    "This cannot be pushed here.",
    "Code comes with a submission: `crowdai submit --code`.",
  ),
  code_missing: row("you", 408, 6, true, "The code never came.", "Your slot was given back. Submit again."),
  repository_unknown: row(
    "you",
    404,
    2,
    false,
    "There is no such repository of yours.",
    "Check its address with `crowdai show`.",
  ),
  code_host_refused: row(
    "platform",
    502,
    5,
    true,
    "The code host refuses.",
    "Whoever runs the broker sets right what it names; it is tried again, and nothing is lost.",
  ),
  code_host_unreachable: row(
    "platform",
    503,
    5,
    true,
    "The code host cannot be used.",
    "It is tried again; nothing is lost.",
  ),
  code_secrets: row(
    "you",
    422,
    4,
    false,
    "The code seems to hold secrets.",
    "Take them out; or submit with --allow-secrets if they are none, or with --no-code.",
  ),
  git_missing: row("you", 500, 2, false, "There is no git on the path.", "Install git 2.31 or newer."),

  // Files and values
  file_missing: row("you", 400, 2, false, "There is no such file.", "Check the path."),
  file_unreadable: row("you", 400, 2, false, "The file cannot be read.", "Check its permissions."),
  file_unwritable: row(
    "you",
    400,
    2,
    false,
    "The file cannot be written.",
    "Check the folder's permissions and the free space.",
  ),
  file_empty: row("you", 422, 4, false, "The file is empty.", "Write your predictions into it first."),
  file_too_large: row(
    "you",
    413,
    4,
    false,
    "The file is too large.",
    "See the limit with `crowdai challenge`.",
  ),
  model_refused: row(
    "you",
    422,
    4,
    false,
    "The challenge does not take this model.",
    "See what it takes with `crowdai challenge`.",
  ),
  file_extension: row(
    "you",
    422,
    4,
    false,
    "The file has the wrong extension.",
    "See what is accepted with `crowdai challenge`.",
  ),
  file_changed: row(
    "you",
    409,
    4,
    true,
    "The file changed while it was read.",
    "Submit again when nothing writes to it.",
  ),
  digest_mismatch: row(
    "you",
    422,
    4,
    true,
    "The bytes that arrived are not the bytes that were announced.",
    "Submit again.",
  ),
  upload_missing: row(
    "you",
    409,
    4,
    true,
    "The file's bytes have not arrived.",
    "Submit again; the upload goes on where it broke.",
  ),
  value_not_json: row("you", 422, 4, false, "The value is not JSON.", "Correct it at the place named."),
  value_too_deep: row("you", 422, 4, false, "The value is nested too deeply.", "Flatten it."),
  value_too_large: row(
    "you",
    413,
    4,
    false,
    "The value is too large.",
    "See the limit with `crowdai challenge`.",
  ),
  value_not_finite: row(
    "you",
    422,
    4,
    false,
    "The value holds NaN or Infinity, which JSON cannot carry.",
    "Replace them with numbers or null.",
  ),
  value_schema: row(
    "you",
    422,
    4,
    false,
    "The value does not fit the challenge's schema.",
    "Correct it at the path named.",
  ),

  // Reaching the broker
  webapp_away: row(
    "platform",
    503,
    5,
    true,
    "The webapp that knows the API keys does not answer.",
    "Try again in a minute.",
  ),
  broker_unreachable: row(
    "platform",
    503,
    5,
    true,
    "The broker cannot be reached.",
    "Check --broker and the network, then try again.",
  ),
  broker_lost: row(
    "platform",
    503,
    5,
    true,
    "The connection to the broker was lost.",
    "Run the same command again: nothing is counted twice.",
  ),
  not_a_broker: row(
    "you",
    502,
    5,
    false,
    "Something answers there, but it is no crowdAI broker.",
    "Check --broker.",
  ),
  records_unreachable: row(
    "platform",
    503,
    5,
    true,
    "The broker cannot reach its records right now.",
    "Run the same command again: nothing is counted twice.",
  ),
  store_unreachable: row(
    "platform",
    503,
    5,
    true,
    "The object store did not take the bytes.",
    "Run the same command again: nothing is counted twice.",
  ),

  // Verdicts
  rejected: row(
    "you",
    422,
    6,
    false,
    "The evaluator rejected the submission.",
    "Correct what its message names and submit again.",
  ),
  evaluator_crashed: row(
    "challenge",
    500,
    6,
    true,
    "The evaluator crashed.",
    "Your slot was given back. The organiser has the log.",
  ),
  evaluator_timeout: row(
    "challenge",
    500,
    6,
    true,
    "The evaluator ran out of time.",
    "Your slot was given back. The organiser has the log.",
  ),
  evaluator_memory: row(
    "challenge",
    500,
    6,
    true,
    "The evaluator ran out of memory.",
    "Your slot was given back. The organiser has the log.",
  ),
  evaluator_silent: row(
    "challenge",
    500,
    6,
    true,
    "The evaluator ended without a result.",
    "Your slot was given back. The organiser has the log.",
  ),
  evaluator_output: row(
    "challenge",
    500,
    6,
    true,
    "The evaluator printed something that is no result.",
    "Your slot was given back. The organiser has the log.",
  ),
  evaluator_score: row(
    "challenge",
    500,
    6,
    true,
    "The evaluator's score is no finite number.",
    "Your slot was given back. The organiser has the log.",
  ),
  gave_up: row(
    "platform",
    500,
    6,
    true,
    "Grading was tried three times and ended each time with the grader.",
    "Your slot was given back. The organiser was told.",
  ),
  deadline_passed: row(
    "platform",
    504,
    6,
    true,
    "The submission was not graded in time.",
    "Your slot was given back. Submit again.",
  ),
  upload_abandoned: row(
    "you",
    408,
    4,
    true,
    "The upload was never finished.",
    "Submit again; no slot was charged.",
  ),
  cancelled: row("you", 409, 6, false, "The submission was cancelled.", "Submit again."),
  already_final: row(
    "you",
    409,
    4,
    false,
    "The submission has already ended.",
    "See it with `crowdai show`.",
  ),
  below_minimum: row("you", 200, 7, false, "The score is below --min-score.", "Improve it."),
  still_pending: row(
    "platform",
    202,
    8,
    true,
    "Not graded yet.",
    "It goes on; reattach with `crowdai watch`.",
  ),

  // Running a broker or grader
  regrade_running: row(
    "you",
    409,
    2,
    true,
    "The challenge is being regraded already.",
    "See how far it is with `crowdai-broker challenge regrade <id> --status`.",
  ),
  data_in_use: row(
    "you",
    409,
    2,
    false,
    "Another broker uses this data folder.",
    "Stop it, or choose another --data.",
  ),
  data_mixed: row(
    "you",
    409,
    2,
    false,
    "The records and the objects belong to two different brokers.",
    "Point --data, DATABASE_URL and S3_BUCKET at one broker's data.",
  ),
  redis_unfit: row(
    "you",
    500,
    2,
    false,
    "Redis cannot be used as it is set up.",
    "Use Redis 6.2 or later, or Valkey, with maxmemory-policy noeviction.",
  ),
  port_in_use: row("you", 409, 2, false, "The port is taken.", "Choose another with --port."),
  runtime_too_old: row(
    "you",
    500,
    2,
    false,
    "The runtime is too old.",
    "Use Bun 1.3 or Node.js 22.13 and newer.",
  ),
} satisfies Record<string, CatalogRow>;

export type ErrorCode = keyof typeof catalog;

/** What an error looks like on the wire, in JSON output and in a submission's record. */
export interface ErrorBody {
  code: ErrorCode;
  fault: Fault;
  message: string;
  next: string;
  retryable: boolean;
  details?: Record<string, unknown>;
}

/** An expected error. `message` is for people and leaks nothing private; `details` is for programs. */
export class CrowdaiError extends Error {
  override readonly name = "CrowdaiError";
  readonly code: ErrorCode;
  readonly details: Record<string, unknown> | undefined;
  readonly next: string;

  constructor(
    code: ErrorCode,
    message?: string,
    options: { details?: Record<string, unknown>; next?: string; cause?: unknown } = {},
  ) {
    super(message ?? catalog[code].title, { cause: options.cause });
    this.code = code;
    this.details = options.details;
    this.next = options.next ?? catalog[code].next;
  }

  get row(): CatalogRow {
    return catalog[this.code];
  }
  get fault(): Fault {
    return this.row.fault;
  }
  get exitCode(): number {
    return this.row.exit;
  }
  get retryable(): boolean {
    return this.row.retryable;
  }

  toBody(): ErrorBody {
    return {
      code: this.code,
      fault: this.fault,
      message: this.message,
      next: this.next,
      retryable: this.retryable,
      ...(this.details ? { details: this.details } : {}),
    };
  }

  /** Rebuilds an error that crossed a process boundary. A code from a newer broker becomes "unexpected". */
  static fromBody(body: {
    code: string;
    message: string;
    next?: string;
    details?: Record<string, unknown>;
  }): CrowdaiError {
    const code = Object.hasOwn(catalog, body.code) ? (body.code as ErrorCode) : "unexpected";
    return new CrowdaiError(code, body.message, { details: body.details, next: body.next });
  }
}

/** An expected error as it is; anything else as "unexpected" with its cause kept. */
export function asCrowdaiError(thrown: unknown): CrowdaiError {
  if (thrown instanceof CrowdaiError) return thrown;
  return new CrowdaiError("unexpected", catalog.unexpected.title, { cause: thrown });
}
