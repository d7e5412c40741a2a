import { createHmac, hash, randomBytes } from "node:crypto";
import { rename } from "node:fs/promises";
import { join } from "node:path";
import type { AgentAnswer, EnvironmentRecord } from "@crowdai/shared";
import type { EnvironmentConfig } from "@crowdai/shared/challenge-folder";
import type { JournalEntry, PlayedEntry } from "@crowdai/shared/step-channel";
import type { ResultEvent } from "../evaluators/protocol/events.ts";
import { RunFailure } from "../run/run-failure.ts";
import type { Closed, Environment } from "./environment-process.ts";
import { createReferee, type Move, type Observed, type Outcome, type Referee } from "./referee.ts";
import { createVideo } from "./session-video.ts";
import { createStepLog, STEP_LOG } from "./step-log.ts";
import { createTimes } from "./step-times.ts";

export interface SessionOptions {
  id: string;
  challenge: string;
  /** Of the challenge folder. */
  version: string;
  round: number;
  config: EnvironmentConfig;
  seeds: readonly number[];
  agent: "code" | "remote";
  /** Starts the environment, in a new process. */
  start(): Promise<Environment>;
  /** The folder for the step log. */
  folder: string;
  onProgress(percent: number, message: string): void;
  /** Called when the first reset is answered. */
  onStarted(): void;
}

export interface Reply {
  answer: AgentAnswer;
  /** The answer's observation as JSON text. */
  observation?: string;
  /**
   * Writes a reset or step to the step log, and returns what the journal records. Called once, before the
   * next request: for a remote agent before the answer is sent, for code afterwards, because the agent then
   * works at the same time.
   */
  record?(): JournalEntry;
}

/** The grade of a session whose episodes are all finished. */
export type SessionVerdict = { kind: "result"; result: ResultEvent } | { kind: "rejected"; message: string };

/**
 * Brokers store each report of progress: a long session reports less often, so that none has more than a few
 * hundred.
 */
const PROGRESS_MS = 1000;
const PROGRESS_PART = 1 / 100;

/** The images that the environment sends. */
const VIDEO = "video.mkv";

/**
 * A session: an environment, and the referee between it and the agent. Its requests are answered one after
 * another.
 */
export type Session = Awaited<ReturnType<typeof openSession>>;

/** Starts the environment. Throws a RunFailure when that fails. */
export async function openSession(options: SessionOptions) {
  const { config, seeds, round } = options;
  const now = () => performance.now();
  const notices: string[] = [];
  const agentTimes = createTimes();
  const environmentTimes = createTimes();
  let restarts = 0;
  let resumed = 0;
  let steps = 0;
  let submitted = false;
  const beganAt = now();
  let lastProgress = Number.NEGATIVE_INFINITY;
  // With a key: a seed alone could be found by trying all.
  const key = randomBytes(16);
  const seedDigests = seeds.map((seed) => createHmac("sha256", key).update(String(seed)).digest("hex"));
  notices.push(`seed digests: HMAC-SHA256 of the decimal digits, key ${key.toString("hex")}`);

  const about = { round, episodes: seeds.length };
  let environment = await options.start();
  const spaces = await environment.open(about).catch(async (failure) => {
    await environment.end();
    throw placed(failure, "at its start");
  });
  const referee: Referee = createReferee({
    ...{ spaces, episodes: seeds.length, limits: config.limits, agent: options.agent },
    ...{ rewardVisible: config.reward_visible, now },
  });
  const logPath = join(options.folder, STEP_LOG);
  const video = createVideo(join(options.folder, VIDEO), () => environment.frameRate());
  const log = createStepLog(logPath, {
    ...{ protocol: 1, challenge: options.challenge, version: options.version, round, spaces },
    ...{ episodes: seeds.length, seed_digests: seedDigests },
  });

  /** Adds the video to a result without media, among the files of the environment. */
  async function withVideo<R extends Pick<ResultEvent, "media">>(result: R): Promise<R> {
    const path = video.close();
    if (path === null || result.media) return result;
    const name = `video-${randomBytes(4).toString("hex")}.mkv`;
    await rename(path, join(environment.output, name));
    return { ...result, media: { path: name, name: VIDEO } };
  }

  /** Adds to the failure of an environment what it is and where it happened. */
  function placed(failure: unknown, place: string): unknown {
    if (!(failure instanceof RunFailure) || failure.code === "env_not_repeatable") return failure;
    const titles: Record<string, string> = {
      env_crashed: "The environment crashed",
      env_timeout: "The environment took too long",
      env_output: "The environment printed something invalid",
    };
    const title = titles[failure.code] ?? failure.code;
    const stderr = environment.stderr();
    return new RunFailure(
      failure.code,
      `${title} (${place}): ${failure.message}.`,
      [`${failure.code} (${place}): ${failure.detail}`, stderr && `stderr:\n${stderr}`]
        .filter(Boolean)
        .join("\n"),
    );
  }

  /** Asks the environment. When it fails, it is started again once, and does what it did before. */
  async function ask<T>(place: string, question: (environment: Environment) => Promise<T>): Promise<T> {
    try {
      return await question(environment);
    } catch (failure) {
      if (!(failure instanceof RunFailure) || !config.deterministic || restarts > 0)
        throw placed(failure, place);
      const began = now();
      notices.push(
        `${(placed(failure, place) as RunFailure).detail}\nIt was started again, and did its steps again.`,
      );
      await restart();
      try {
        return await question(environment);
      } catch (second) {
        throw placed(second, place);
      } finally {
        referee.excuse(now() - began);
      }
    }
  }

  async function restart(): Promise<void> {
    restarts++;
    await environment.end();
    environment = await options.start();
    let place = "at its start";
    try {
      await environment.open(about);
      for await (const entry of log.entries()) {
        place = placeOf(entry);
        compare(entry, await repeat(entry));
      }
    } catch (failure) {
      throw placed(failure, place);
    }
  }

  const repeat = (entry: PlayedEntry): Promise<Observed | Outcome> =>
    entry.type === "reset"
      ? environment.reset(entry.episode, seeds[entry.episode - 1]!)
      : environment.step(JSON.stringify(entry.action));

  function compare(entry: PlayedEntry, again: Observed | Outcome): void {
    const differs = (what: string) =>
      new RunFailure(
        "env_not_repeatable",
        `The environment is not repeatable (${placeOf(entry)}): the same seed and actions gave another ${what}.`,
      );
    if (digestOf(again.text) !== entry.digest) throw differs("observation");
    if (entry.type === "reset") return;
    const { reward, terminated, truncated } = again as Outcome;
    if (entry.reward !== null && entry.reward !== reward) throw differs("reward");
    if (entry.over !== (terminated || truncated || entry.n >= config.limits.steps)) throw differs("end");
  }

  function startEpisode(episode: number, observed: Observed): Reply {
    const isFirst = !referee.hasStarted();
    if (observed.frame) video.add(observed.frame);
    const answer = referee.observed(observed);
    const times = referee.times();
    if (isFirst) options.onStarted();
    return {
      answer,
      observation: observed.text,
      record() {
        const digest = digestOf(observed.text);
        log.reset(episode, seedDigests[episode - 1]!, digest, times);
        return { type: "reset", episode, digest };
      },
    };
  }

  function takeStep(move: Extract<Move, { kind: "step" }>, outcome: Outcome): Reply {
    if (outcome.frame) video.add(outcome.frame);
    const answer = referee.stepped(move, outcome);
    const times = referee.times();
    steps++;
    return {
      answer,
      observation: outcome.text,
      record() {
        const { reward } = outcome;
        const { episode, n, terminated, truncated } = answer;
        const digest = digestOf(outcome.text);
        agentTimes.add(times.agentMs);
        environmentTimes.add(times.environmentMs);
        const shown = config.reward_visible ? reward : null;
        log.step({ episode, n, action: move.text, reward: shown, terminated, truncated, digest }, times);
        const over = terminated || truncated;
        return { type: "step", episode, n, action: move.action, reward, digest, over };
      },
    };
  }

  async function play(move: Exclude<Move, { kind: "answer" | "finish" }>): Promise<Reply> {
    if (move.kind === "reset") {
      const { episode } = move;
      const place = `reset of episode ${episode}`;
      return startEpisode(episode, await ask(place, (one) => one.reset(episode, seeds[episode - 1]!)));
    }
    const { text, episode, n } = move;
    const outcome = await ask(`episode ${episode}, step ${n}`, (one) => one.step(text));
    return takeStep(move, outcome);
  }

  function report(): void {
    const at = now();
    if (at - lastProgress < Math.max(PROGRESS_MS, (at - beganAt) * PROGRESS_PART)) return;
    lastProgress = at;
    const episodes = referee.episodes();
    const last = episodes.at(-1);
    if (!last) return;
    const over = last.ended === "unfinished" ? last.steps / config.limits.steps : 1;
    const total = seeds.length;
    // A return that is reported live would tell of hidden rewards.
    const sum = config.reward_visible ? `, return ${Number(last.return.toPrecision(6))}` : "";
    options.onProgress(
      Math.min(100, (100 * (episodes.length - 1 + over)) / total),
      `Episode ${last.episode} of ${total}, step ${last.steps}${sum}`,
    );
  }

  return {
    referee,
    /**
     * Answers a request: any JSON value, or an error about text that is not JSON. Rejects when the session is
     * over.
     */
    async answer(request: unknown): Promise<Reply> {
      const move =
        request instanceof SyntaxError ? referee.invalid(request.message) : referee.request(request);
      const failure = referee.failure();
      if (move.kind === "answer") return move;
      if (move.kind === "finish") {
        submitted = true;
        return { answer: { type: "end" }, record: () => ({ type: "submit" }) };
      }
      if (failure) throw failure;
      if (log.isFull()) await log.drained();
      const reply = await play(move);
      report();
      return reply;
    },
    /** Whether the agent said that it is finished. */
    submitted: () => submitted,

    /**
     * Does again what another grader recorded, or what a stored step log has. Throws the failure of a submit
     * that came early.
     */
    async playAgain(
      entries: AsyncIterable<JournalEntry> | Iterable<JournalEntry>,
      { resumes }: { resumes: boolean },
    ): Promise<void> {
      if (resumes) resumed++;
      for await (const entry of entries) {
        if (entry.type === "submit") {
          // Only a submit that ended the session was recorded.
          referee.request({ type: "submit", early: true });
          submitted = true;
          break;
        }
        const { type, episode } = entry;
        // The time of a replay is not the agent's.
        referee.restartClocks();
        const move = referee.request(type === "reset" ? { type, episode } : { ...entry, type });
        if (move.kind !== "reset" && move.kind !== "step")
          throw new RunFailure(
            "env_not_repeatable",
            `The recorded steps do not fit the rules (${placeOf(entry)}).`,
          );
        if (log.isFull()) await log.drained();
        const again = await ask(placeOf(entry), () => repeat(entry));
        compare(entry, again);
        const done = move.kind === "reset" ? startEpisode(episode, again) : takeStep(move, again as Outcome);
        done.record?.();
      }
      const failure = referee.failure();
      if (failure) throw failure;
      referee.restartClocks();
    },

    /** Takes the grade when all episodes are finished. */
    async finish(): Promise<SessionVerdict> {
      const isOwn = config.score === "result";
      const nothing: Closed = { result: null, rejected: null };
      const closed = await ask("at its end", (one) => one.close()).catch((failure) => {
        if (isOwn || !(failure instanceof RunFailure)) throw failure;
        notices.push(failure.detail);
        return nothing;
      });
      if (closed.rejected !== null) return { kind: "rejected", message: closed.rejected };
      if (!isOwn)
        return {
          kind: "result",
          result: await withVideo({ type: "result", ...closed.result, score: referee.meanReturn() }),
        };
      if (closed.result) return { kind: "result", result: await withVideo(closed.result) };
      throw placed(new RunFailure("env_output", "no result", "it exited without a result"), "at its end");
    },
    /** The folder of the files that the result names. */
    output: () => environment.output,

    /** Ends the environment and the step log. Returns what is recorded. */
    async end(agent: EnvironmentRecord["agent"], grader: string) {
      await environment.end();
      await log.close();
      video.close();
      const record: EnvironmentRecord = {
        agent,
        grader,
        episodes: referee.episodes().map((one) => ({
          ...one,
          seed_sha256: seedDigests[one.episode - 1]!,
        })),
        ...{ steps, agent_ms: agentTimes.summary(), environment_ms: environmentTimes.summary() },
        ...{ invalid_actions: referee.invalidActions(), resumed: resumed + restarts },
      };
      const stderr = environment.stderr();
      const text = [...notices, stderr && `stderr:\n${stderr}`].filter(Boolean).join("\n");
      return { record, stepLog: logPath, log: text };
    },
  };
}

const placeOf = (entry: PlayedEntry): string =>
  entry.type === "reset" ? `reset of episode ${entry.episode}` : `episode ${entry.episode}, step ${entry.n}`;

const digestOf = (text: string): string => hash("sha256", text);
