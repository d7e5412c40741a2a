import type {
  Leaderboard,
  Limits,
  PublicChallenge,
  Session,
  Submission,
  SubmissionEvent,
} from "@crowdai/shared";
import type { HttpClient } from "../client/http/http-client.ts";
import type { Agents } from "../client/http/proxy-agents.ts";
import type { BrokerSession } from "../client/session/broker-session.ts";
import type { CodeOutcome } from "../snapshot/send/send-code.ts";
import type { Answer, EvaluateOptions, Settled } from "../submit/evaluate-values.ts";
import type { FollowOptions } from "../submit/follow.ts";
import type { Grade } from "../submit/grade.ts";
import type { ModelFile } from "../submit/models.ts";
import type { ChallengeSession } from "./connect.ts";
import type { OpenOptions } from "./open-options.ts";

export interface SubmitOptions extends FollowOptions {
  /** Id or number of the round. Default: the one that is open. */
  round?: string | number;
  /** Note kept with the submission. */
  message?: string;
  /** False resolves once the submission is accepted, without waiting for its grade. */
  wait?: boolean;
  /**
   * The code that made this: true takes the project that holds the running script, a path the project in that folder. What is left
   * out, and why a secret stops it, is as with `crowdai submit --code`. Default: none goes along.
   */
  code?: boolean | string;
  /** Whether that code may be published when the challenge closes. Needs the agreement to the MIT licence. Default false. */
  publish?: boolean;
  /** Sends the code although it seems to hold secrets. */
  allowSecrets?: boolean;
  /** Told once it is known whether the broker has the code. A submission does not fail for its code. */
  onCode?: (outcome: CodeOutcome | null) => void;
  /** An id of one's own, 8 to 64 letters, digits, - or _. The same id sent again is the same submission. */
  id?: string;
  /**
   * Folder to note unfinished submissions in, so that the same submission made again, after a crash too, goes on with the parts of
   * its file that have not arrived. Default: none is kept. Of no use together with an id of one's own, which does the same.
   */
  journal?: string;
  /** Files of models that are kept beside the submission: paths, or `{ file, name }`. */
  models?: readonly (ModelFile | string)[];
  signal?: AbortSignal;
}

/** A file instead of a value. `name` is what the broker is told, by default the path's last part. */
export interface FileInput {
  file: string;
  name?: string;
}

interface SessionContext {
  broker: URL;
  agents: Agents | undefined;
  http: HttpClient;
  key: string;
  client: string;
}

/** A session with one challenge. Close it when done, or declare it with `await using`. */
export class Challenge implements AsyncDisposable {
  readonly #session: BrokerSession;
  readonly #http: HttpClient;
  readonly #agents: Agents | undefined;
  readonly #key: string;
  readonly #client: string;

  private constructor({ session, http, agents, key, client }: ChallengeSession) {
    this.#session = session;
    this.#http = http;
    this.#agents = agents;
    this.#key = key;
    this.#client = client;
  }

  /**
   * Opens a session. Rejects with a CrowdaiError: no_key, key_malformed (told without asking the broker), key_unknown,
   * challenge_unknown (with details.suggestion), broker_unreachable, not_a_broker, interrupted.
   */
  static async open(id: string, options: OpenOptions = {}): Promise<Challenge> {
    const { connect } = await import("./connect.ts");
    return new Challenge(await connect(id, options));
  }

  /** The challenge as the broker described it when the session was opened. */
  get info(): PublicChallenge {
    return this.#session.opening.challenge!;
  }
  /** Who the broker says you are. */
  get participant(): Session["participant"] {
    return this.#session.opening.participant;
  }

  /**
   * Submits a JSON value (typed arrays go as arrays) or, as `{ file: path }`, a file, and waits for the grade. A value that is
   * itself an object with the one key `file` can be submitted by submitValue.
   *
   * Rejects with a CrowdaiError. A failed grading has the code of the submission's error and the submission in details.submission;
   * after `broker_lost`, `interrupted` and `still_pending` details tell whether it was accepted and goes on.
   */
  submit(input: unknown, options: SubmitOptions & { wait: false }): Promise<Submission>;
  submit(input: unknown, options?: SubmitOptions): Promise<Grade>;
  async submit(input: unknown, options: SubmitOptions = {}): Promise<Submission> {
    return isFileInput(input)
      ? this.submitFile(input.file, { ...options, name: input.name } as SubmitOptions)
      : this.submitValue(input, options);
  }

  /** Submits a JSON value, whatever it looks like. */
  submitValue(value: unknown, options: SubmitOptions & { wait: false }): Promise<Submission>;
  submitValue(value: unknown, options?: SubmitOptions): Promise<Grade>;
  async submitValue(value: unknown, options: SubmitOptions = {}): Promise<Submission> {
    const { submitValue } = await import("./submit-from-program.ts");
    return submitValue(this.#session, value, this.#submitting(options));
  }

  /** Submits a file, streamed to the object store. */
  submitFile(path: string, options: SubmitOptions & { name?: string; wait: false }): Promise<Submission>;
  submitFile(path: string, options?: SubmitOptions & { name?: string }): Promise<Grade>;
  async submitFile(path: string, options: SubmitOptions & { name?: string } = {}): Promise<Submission> {
    const { submitFile } = await import("./submit-from-program.ts");
    return submitFile(this.#session, path, this.#submitting(options));
  }

  /**
   * Calls a function of the evaluator for each value, without a place on the leaderboard; answers stand in the order of the
   * values. Rejects when any value fails, like Promise.all, but with everything in the error: details.index is the first
   * value that failed, details.answers holds the others.
   */
  async evaluate(values: readonly unknown[], options: EvaluateOptions = {}): Promise<Answer[]> {
    const { requireAnswers } = await import("../submit/evaluate-values.ts");
    return requireAnswers(await this.evaluateSettled(values, options));
  }

  /** The same, but each value's verdict stands for itself: `{ ok: true, answer }` or `{ ok: false, error }`. */
  async evaluateSettled(values: readonly unknown[], options: EvaluateOptions = {}): Promise<Settled[]> {
    const { evaluateValues } = await import("../submit/evaluate-values.ts");
    return evaluateValues(this.#session, values, this.#with(options));
  }

  /** Waits for the grade of a submission made earlier, here or elsewhere. */
  async wait(id: string, options: FollowOptions & { signal?: AbortSignal } = {}): Promise<Grade> {
    const { waitForGrade } = await import("../submit/submit-input.ts");
    return waitForGrade(this.#session, id, options);
  }

  /** The events of a submission from number `after` + 1 on, each once and in order, until the last. */
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

  /** Cancels a submission without a grade; harmless when it is cancelled already. */
  cancel(id: string, options: { signal?: AbortSignal } = {}): Promise<Submission> {
    return this.#session.cancel(id, options.signal);
  }

  async limits(options: { round?: string | number; signal?: AbortSignal } = {}): Promise<Limits> {
    const { readLimits } = await import("../client/http/broker-queries.ts");
    return readLimits(this.#http, this.info.id, options);
  }

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

  /** Your submissions to this challenge, newest first. */
  async submissions(options: { limit?: number; signal?: AbortSignal } = {}): Promise<Submission[]> {
    const { readSubmissions } = await import("../client/http/broker-queries.ts");
    return readSubmissions(this.#http, this.info.id, options);
  }

  /** Ends the session. Submissions that were accepted go on; calls that still wait reject with `interrupted`. */
  async close(): Promise<void> {
    this.#session.close();
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #submitting({ models, ...options }: SubmitOptions & { name?: string }) {
    return this.#with({ ...options, modelFiles: models });
  }

  #with<T extends object>(options: T): T & SessionContext {
    const [http, agents, key, client] = [this.#http, this.#agents, this.#key, this.#client];
    return { ...options, broker: http.broker, agents, http, key, client };
  }
}

function isFileInput(input: unknown): input is FileInput {
  if (typeof input !== "object" || input === null || !("file" in input) || typeof input.file !== "string")
    return false;
  return Object.keys(input).every((key) => key === "file" || key === "name");
}
