import type {
  Leaderboard,
  Limits,
  PublicChallenge,
  Session,
  Submission,
  SubmissionEvent,
} from "@crowdai/shared";
import { CrowdaiError } from "@crowdai/shared/errors";
import type { HttpClient } from "../client/http/http-client.ts";
import type { Agents } from "../client/http/proxy-agents.ts";
import type { BrokerSession } from "../client/session/broker-session.ts";
import type { Environment } from "../environment/environment.ts";
import type { Answer, EvaluateOptions, Settled } from "../submit/evaluate-values.ts";
import type { FollowOptions } from "../submit/follow.ts";
import type { Grade } from "../submit/grade.ts";
import type { CheckOptions, CheckResult } from "./check-from-program.ts";
import type { ChallengeSession } from "./connect.ts";
import type { EnvironmentOptions } from "./environment-options.ts";
import { isFileInput } from "./file-input.ts";
import type { OpenOptions } from "./open-options.ts";
import type { SealedSubmission, SpoolOptions } from "./spool-from-program.ts";
import { isStreamInput, type StreamInput } from "./stream-input.ts";
import type { SubmitOptions } from "./submit-options.ts";
import { type Observers, type Submitting, startSubmitting } from "./submitting.ts";

interface SessionContext {
  broker: URL;
  agents: Agents | undefined;
  http: HttpClient;
  key: string;
  client: string;
}

/**
 * A session with one challenge. Close it when you are done, or declare it with `await using`.
 *
 * @example
 * await using challenge = await Challenge.open("iris");
 * const grade = await challenge.submit({ predictions }, { message: "Gaussian naive Bayes" });
 * console.log(grade.score, grade.rank);
 */
export class Challenge implements AsyncDisposable {
  readonly #session: BrokerSession;
  readonly #http: HttpClient;
  readonly #agents: Agents | undefined;
  readonly #key: () => string;
  readonly #client: string;

  private constructor({ session, http, agents, key, client }: ChallengeSession) {
    this.#session = session;
    this.#http = http;
    this.#agents = agents;
    this.#key = key;
    this.#client = client;
  }

  /**
   * Opens a session with a challenge, by default the one in CROWDAI_CHALLENGE or crowdai.json.
   *
   * @throws CrowdaiError with the code no_key, key_unbound, key_malformed (found without asking the broker),
   * key_unknown, key_revoked, challenge_unknown (with details.suggestion), broker_unreachable, not_a_broker
   * or interrupted.
   * @example
   * const challenge = await Challenge.open("iris", { broker: "https://crowdai.example", apiKey });
   */
  static async open(id?: string, options: OpenOptions = {}): Promise<Challenge> {
    const { connect } = await import("./connect.ts");
    return new Challenge(await connect(id, options));
  }

  /**
   * Seals a file or a value in a folder, without a broker, a network or a key, for `crowdai sync` to send:
   * once, from any machine. The challenge is by default the one in CROWDAI_CHALLENGE or crowdai.json, whose
   * rules are checked when it is sent.
   *
   * @throws CrowdaiError with the code file_missing, file_empty, file_changed, file_unwritable,
   * value_not_json, usage or interrupted.
   * @example
   * const { id } = await Challenge.spool("iris", { file: "predictions.csv" }, { folder: "/media/usb/spool" });
   */
  static async spool(
    id: string | undefined,
    input: unknown,
    options: SpoolOptions = {},
  ): Promise<SealedSubmission> {
    if (isStreamInput(input))
      throw new CrowdaiError("usage", "Streams cannot be sealed.", {
        next: "Write the rows to a file, and pass { file: path }.",
      });
    const { spoolInput } = await import("./spool-from-program.ts");
    return spoolInput(id, isFileInput(input) ? input : { value: input }, options);
  }

  /**
   * Returns the challenge as the broker described it when the session was opened.
   *
   * @example
   * console.log(challenge.info.title, challenge.info.round);
   */
  get info(): PublicChallenge {
    return this.#session.opening.challenge!;
  }

  /**
   * Returns the account that the session is signed in with.
   *
   * @example
   * console.log(`Signed in as ${challenge.participant.name}`);
   */
  get participant(): Session["participant"] {
    return this.#session.opening.participant;
  }

  /**
   * Submits a JSON value (typed arrays become arrays), a file, as `{ file: path }`, or streamed data: a Blob,
   * a stream, or an async iterable of rows. Await it for the grade, or iterate it for its events. Use
   * `submitValue` for a value that is itself an object with the only key `file`.
   *
   * @throws CrowdaiError with the code of the submission's error and the submission in details.submission if
   * grading fails. After broker_lost, interrupted and still_pending, details.accepted says whether the
   * submission was accepted.
   * @example
   * const grade = await challenge.submit({ predictions });
   * @example
   * const { id } = await challenge.submit({ file: "predictions.csv" }, { wait: false });
   * @example
   * for await (const event of challenge.submit(rows(), { name: "predictions.csv" })) console.error(event.type);
   */
  submit(input: unknown, options: SubmitOptions & { wait: false }): Submitting;
  submit(input: unknown, options?: SubmitOptions): Submitting<Grade>;
  submit(input: unknown, options: SubmitOptions = {}): Submitting {
    if (isStreamInput(input)) return this.#submitStream(input, options);
    return isFileInput(input)
      ? this.submitFile(input.file, { ...options, name: input.name ?? options.name })
      : this.submitValue(input, options);
  }

  /**
   * Submits a JSON value, even one that looks like `{ file: path }`.
   *
   * @example
   * await challenge.submitValue({ file: "this is data" });
   */
  submitValue(value: unknown, options: SubmitOptions & { wait: false }): Submitting;
  submitValue(value: unknown, options?: SubmitOptions): Submitting<Grade>;
  submitValue(value: unknown, options: SubmitOptions = {}): Submitting {
    return startSubmitting(options, async (observers) => {
      const { submitValue } = await import("./submit-from-program.ts");
      return submitValue(this.#session, value, this.#submitting({ ...options, ...observers }));
    });
  }

  /**
   * Submits a file, which is streamed to the object store.
   *
   * @example
   * await challenge.submitFile("predictions.csv", { onProgress: (progress) => console.log(progress.stage) });
   */
  submitFile(path: string, options: SubmitOptions & { wait: false }): Submitting;
  submitFile(path: string, options?: SubmitOptions): Submitting<Grade>;
  submitFile(path: string, options: SubmitOptions = {}): Submitting {
    return startSubmitting(options, async (observers) => {
      const { submitFile } = await import("./submit-from-program.ts");
      return submitFile(this.#session, path, this.#submitting({ ...options, ...observers }));
    });
  }

  #submitStream(input: StreamInput, options: SubmitOptions): Submitting {
    return startSubmitting(options, async (observers) => {
      const { withStreamFile } = await import("./stream-file.ts");
      const { submitFile } = await import("./submit-from-program.ts");
      return withStreamFile(this.info, input, options, (path, name) =>
        submitFile(this.#session, path, this.#submitting({ ...options, ...observers, name })),
      );
    });
  }

  /**
   * Checks a JSON value, a file as `{ file: path }`, or a stream, without submitting it: no slot, no score.
   * What this machine can check is checked here; then the evaluator's own check is asked, if the challenge
   * has one and `local` is not set.
   *
   * @throws CrowdaiError with the code check_failed, its first problems in details.problems and their number
   * in details.total, and with the codes of a file or value that the challenge does not accept.
   * @example
   * await challenge.check({ file: "predictions.csv" });
   */
  async check(input: unknown, options: CheckOptions = {}): Promise<CheckResult> {
    const { checkInputOfProgram } = await import("./check-from-program.ts");
    if (isStreamInput(input)) {
      const { withStreamFile } = await import("./stream-file.ts");
      return withStreamFile(this.info, input, options, (file, name) =>
        checkInputOfProgram(this.#session, { file, name }, this.#with(options)),
      );
    }
    return checkInputOfProgram(
      this.#session,
      isFileInput(input) ? input : { value: input },
      this.#with(options),
    );
  }

  /**
   * Submits the code itself, to a challenge that runs it: by default the project of the running script.
   * `command` runs it, if the challenge leaves that to its participants; the default is the one in
   * crowdai.json.
   *
   * @throws CrowdaiError with the code build_failed or sample_failed, which cost no slot, and code_crashed,
   * code_timeout, code_cpu, code_memory, code_output, output_missing or output_invalid;
   * details.submission.run tells how the code was run.
   * @example
   * const grade = await challenge.submitCode({ code: "solution", command: ["python3", "main.py"] });
   */
  submitCode(options: SubmitOptions & { command?: readonly string[]; wait: false }): Submitting;
  submitCode(options?: SubmitOptions & { command?: readonly string[] }): Submitting<Grade>;
  submitCode(options: SubmitOptions & { command?: readonly string[] } = {}): Submitting {
    return startSubmitting(options, async (observers) => {
      const { submitCode } = await import("./submit-from-program.ts");
      return submitCode(this.#session, this.#submitting({ code: true, ...options, ...observers }));
    });
  }

  /**
   * Opens a session with the environment of the challenge, which is a submission: it waits in the queue until
   * a grader has a free environment. Resolves as soon as it is accepted; the first call that needs the
   * environment waits for it.
   *
   * @throws CrowdaiError with the code kind_not_accepted if the challenge has no environment or takes agents
   * only as code, or of what refuses a submission, such as slots_used.
   * @example
   * await using env = await challenge.environment<number[], number[]>({ message: "PPO" });
   * for (let observation = await env.reset(); observation; observation = await env.reset())
   *   for (let done = false; !done; ) ({ observation, done } = await env.step(act(observation)));
   * console.log((await env.submit()).score);
   */
  async environment<Observation = unknown, Action = unknown>(
    options: EnvironmentOptions = {},
  ): Promise<Environment<Observation, Action>> {
    const { openProgramEnvironment } = await import("./environment-from-program.ts");
    return openProgramEnvironment<Observation, Action>(this.#session, options);
  }

  /**
   * Calls an evaluator function for each value and returns the answers in the order of the values. The
   * results do not count for the leaderboard.
   *
   * @throws CrowdaiError if any value fails, with the index of the first failure in details.index and the
   * other answers in details.answers.
   * @example
   * const answers = await challenge.evaluate([x1, x2], { function: "classify" });
   */
  async evaluate(values: readonly unknown[], options: EvaluateOptions = {}): Promise<Answer[]> {
    const { requireAnswers } = await import("../submit/evaluate-values.ts");
    return requireAnswers(await this.evaluateSettled(values, options));
  }

  /**
   * Calls an evaluator function for each value and returns each outcome: `{ ok: true, answer }` or
   * `{ ok: false, error }`.
   *
   * @example
   * for (const outcome of await challenge.evaluateSettled(values))
   *   console.log(outcome.ok ? outcome.answer.data : outcome.error.message);
   */
  async evaluateSettled(values: readonly unknown[], options: EvaluateOptions = {}): Promise<Settled[]> {
    const { describeValues, evaluateValues } = await import("../submit/evaluate-values.ts");
    return evaluateValues(this.#session, describeValues(values), this.#with(options));
  }

  /**
   * Waits for the grade of an earlier submission, made by this program or elsewhere.
   *
   * @example
   * const grade = await challenge.wait("7h3k9m2p4q6r8s1t", { timeoutMs: 60_000 });
   */
  async wait(id: string, options: FollowOptions & { signal?: AbortSignal } = {}): Promise<Grade> {
    const { waitForGrade } = await import("../submit/submit-input.ts");
    return waitForGrade(this.#session, id, options);
  }

  /**
   * Yields the events of a submission, each once and in order, until the last. `after` skips the events up to
   * that number.
   *
   * @example
   * for await (const event of challenge.watch(id)) console.log(event.seq, event.type);
   */
  async *watch(
    id: string,
    options: { after?: number; signal?: AbortSignal } = {},
  ): AsyncGenerator<SubmissionEvent, void> {
    const feed = this.#session.watch(id, options);
    try {
      for await (const update of feed) if (update.kind === "event") yield update.event;
    } finally {
      feed.stop();
    }
  }

  /**
   * Cancels a submission that is not graded yet. Succeeds if it is cancelled already.
   *
   * @example
   * await challenge.cancel(id);
   */
  cancel(id: string, options: { signal?: AbortSignal } = {}): Promise<Submission> {
    return this.#session.cancel(id, options.signal);
  }

  /**
   * Selects a submission for the final ranking of its round, which hidden scores decide, or removes it from
   * your selection. Rejects with `selection_full`, `selection_closed` or `not_selectable`.
   *
   * @example
   * await challenge.select(id);
   */
  async select(id: string, options: { remove?: boolean; signal?: AbortSignal } = {}): Promise<Submission> {
    const { selectSubmission } = await import("../client/http/broker-queries.ts");
    return selectSubmission(this.#http, id, options);
  }

  /**
   * Returns how many submissions are left in a round, by default the open one, and when the next slot is
   * free.
   *
   * @example
   * const { remaining, next_at } = await challenge.limits();
   */
  async limits(options: { round?: string | number; signal?: AbortSignal } = {}): Promise<Limits> {
    const { readLimits } = await import("../client/http/broker-queries.ts");
    return readLimits(this.#http, this.info.id, options);
  }

  /**
   * Returns the leaderboard of a round, by default the open or latest one.
   *
   * @example
   * const { rows } = await challenge.leaderboard({ limit: 10 });
   */
  async leaderboard(
    options: {
      round?: string | number;
      board?: Leaderboard["board"];
      limit?: number;
      offset?: number;
      signal?: AbortSignal;
    } = {},
  ): Promise<Leaderboard> {
    const { readLeaderboard } = await import("../client/http/broker-queries.ts");
    return readLeaderboard(this.#http, this.info.id, options);
  }

  /**
   * Returns your submissions to this challenge, newest first.
   *
   * @example
   * const [latest] = await challenge.submissions({ limit: 1 });
   */
  async submissions(options: { limit?: number; signal?: AbortSignal } = {}): Promise<Submission[]> {
    const { readSubmissions } = await import("../client/http/broker-queries.ts");
    return readSubmissions(this.#http, this.info.id, options);
  }

  /**
   * Closes the session. Accepted submissions continue; calls that are still waiting reject with
   * `interrupted`.
   *
   * @example
   * await challenge.close();
   */
  async close(): Promise<void> {
    this.#session.close();
  }

  /**
   * Closes the session at the end of an `await using` block.
   *
   * @example
   * await using challenge = await Challenge.open("iris");
   */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #submitting({ models, ...options }: SubmitOptions & Observers) {
    return this.#with({ ...options, modelFiles: models });
  }

  #with<T extends object>(options: T): T & SessionContext {
    const [http, agents, key, client] = [this.#http, this.#agents, this.#key(), this.#client];
    return { ...options, broker: http.broker, agents, http, key, client };
  }
}
