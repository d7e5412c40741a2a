import type { PublicChallenge } from "@crowdai/shared";
import { plural, shownCount } from "./format.ts";
import { Scroll } from "./scrollable.tsx";
import { UntrustedText } from "./untrusted-text.tsx";

type Environment = NonNullable<PublicChallenge["environment"]>;

/** How agents play an environment: its episodes, its score, and the limits. */
export function HowAgentsPlay({ environment }: { environment: Environment }) {
  const { agents, episodes, score, reward_visible, command, seeds } = environment;
  return (
    <section aria-labelledby="environment">
      <h2 id="environment">How your agent plays</h2>
      <p>
        Your agent steps an environment that the organizer hosts.{" "}
        {agents.includes("remote") ? "It may run on your machine" : null}
        {agents.length > 1 ? ", or " : null}
        {agents.includes("code") ? (agents.length > 1 ? "you submit its code" : "You submit its code") : null}
        {agents.includes("code") ? ", which plays in a box without a network." : "."} The slot is charged once
        the first episode has begun.
      </p>
      <dl class="facts">
        <Fact name="Episodes">{episodes === null ? "set by the organizer" : shownCount(episodes)}</Fact>
        <Fact name="Score">
          {score === "mean_return"
            ? "sum of all rewards, divided by the number of episodes"
            : "computed by the environment"}
        </Fact>
        {agents.includes("code") ? (
          <Fact name="Command">
            {command ? (
              <code>
                <UntrustedText text={command.join(" ")} most={500} />
              </code>
            ) : (
              <>
                the <code>code.command</code> of your <code>crowdai.json</code>
              </>
            )}
          </Fact>
        ) : null}
        {limitRows(environment).map(([name, value]) => (
          <Fact name={name}>{value}</Fact>
        ))}
      </dl>
      {reward_visible ? null : <p class="note">Agents do not see the rewards.</p>}
      {seeds ? (
        <Seeds seeds={seeds} />
      ) : (
        <p class="note">
          The seeds are secret until the challenge is closed, and are then shown here or with each submission.
        </p>
      )}
    </section>
  );
}

/** Returns the limits that are set and concern these agents, in words. */
function limitRows({ agents, limits, code_limits }: Environment): [name: string, value: string][] {
  const remote = (limit: number | undefined) => (agents.includes("remote") ? limit : undefined);
  const code = <T,>(limit: T) => (agents.includes("code") ? limit : undefined);
  const seconds = (n: number) => plural(n, "second");
  const rows: [string, number | null | undefined, (limit: number) => string][] = [
    ["Steps", limits.steps, (n) => `${shownCount(n)} in an episode`],
    ["Time of an episode", limits.episode_seconds, seconds],
    ["Silence", remote(limits.idle_seconds), (n) => `${seconds(n)} of a remote agent`],
    ["Time of a step", code(limits.step_seconds), (n) => `${seconds(n)} of a code agent`],
    ["Time beyond that", code(limits.bank_seconds), (n) => `${seconds(n)} in an episode`],
    ["Memory", code(code_limits.memory_mb), (n) => `${shownCount(n)} MB`],
    ["Processes", code(code_limits.processes), (n) => shownCount(n)],
    ["Build time", code(code_limits.build_seconds), seconds],
  ];
  return rows.flatMap(([name, limit, text]) => (typeof limit === "number" ? [[name, text(limit)]] : []));
}

function Seeds({ seeds }: { seeds: NonNullable<Environment["seeds"]> }) {
  return (
    <details>
      <summary>Seeds</summary>
      <Scroll label="Seeds">
        <pre>{seeds.map((one) => `Round ${one.round}: ${one.seeds.join(", ")}\n`).join("")}</pre>
      </Scroll>
    </details>
  );
}

function Fact({ name, children }: { name: string; children?: unknown }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children as string}</dd>
    </div>
  );
}
