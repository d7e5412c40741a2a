import type { EnvironmentRecord, PublicChallenge } from "@crowdai/shared";
import type { LabeledRow } from "../../terminal/labels.ts";
import { commandText, limitsText } from "./run-rows.ts";

type PublicEnvironment = NonNullable<PublicChallenge["environment"]>;

/** Returns which agents a challenge takes, and how they are submitted. */
export function agentsText({ agents }: Pick<PublicEnvironment, "agents">): string {
  const ways = { remote: "remote agents (crowdai run)", code: "agents as code (crowdai submit --code)" };
  const text = agents.map((agent) => ways[agent]).join(", ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Returns how agents play; of code agents alone with `kind`. */
export function environmentRows(environment: PublicEnvironment, kind?: "code"): LabeledRow[] {
  const { agents, command, episodes, limits, code_limits, score, reward_visible } = environment;
  const takesCode = agents.includes("code");
  const isRemote = agents.includes("remote") && kind === undefined;
  return [
    ["Command", takesCode ? (command ? commandText(command) : "the one that your crowdai.json names") : null],
    ["Episodes", episodes === null ? "a number that the organizer keeps secret" : String(episodes)],
    ["Score", score === "mean_return" ? "the mean return of the episodes" : "the environment's own result"],
    ["Episode", joined([count(limits.steps, "steps"), seconds(limits.episode_seconds)])],
    ["Step", takesCode ? thinkingText(limits) : null],
    ["Silence", isRemote && limits.idle_seconds ? `at most ${limits.idle_seconds} s` : null],
    ["Box", takesCode ? limitsText(code_limits) : null],
    ["Rewards", reward_visible ? null : "not shown to the agent"],
  ];
}

const count = (most: number | undefined, what: string) => (most ? `at most ${most} ${what}` : "");
const seconds = (most: number | undefined) => (most ? `at most ${most} s` : "");
const joined = (parts: readonly string[]) => parts.filter(Boolean).join(", ");

function thinkingText({ step_seconds, bank_seconds }: PublicEnvironment["limits"]): string | null {
  if (!step_seconds) return null;
  return `${step_seconds} s${bank_seconds ? `, and ${bank_seconds} s more in each episode` : ""}`;
}

const ENDS = { terminated: "terminated", truncated: "truncated", unfinished: "not finished" };

/** Returns how an agent played. */
export function playedRows({ agent, episodes, ...record }: EnvironmentRecord): LabeledRow[] {
  const { steps, agent_ms, environment_ms, invalid_actions, resumed } = record;
  const who = { code: "code", remote: "remote", replay: "a replay of the step log" }[agent];
  return [
    ["Agent", who],
    ...episodes.map(
      (one): LabeledRow => [
        `Episode ${one.episode}`,
        `return ${rounded(one.return)} in ${one.steps} ${one.steps === 1 ? "step" : "steps"}, ${ENDS[one.ended]}${
          one.seed === undefined ? "" : `, seed ${one.seed}`
        }`,
      ],
    ),
    ["Steps", `${steps}, agent ${times(agent_ms)}, environment ${times(environment_ms)}`],
    ["Refused", invalid_actions > 0 ? `${invalid_actions} requests of the agent` : null],
    ["Resumed", resumed > 0 ? `${resumed} ${resumed === 1 ? "time" : "times"}, by a replay` : null],
  ];
}

const rounded = (value: number) => String(Number(value.toPrecision(7)));
const times = ({ p50, p99 }: { p50: number; p99: number }) => `${rounded(p50)} ms (99%: ${rounded(p99)} ms)`;
