import { CrowdaiError } from "@crowdai/shared";
import type { z } from "zod";

export interface Versions {
  /** Of the broker; null if it is unknown. */
  broker: string | null;
  /** The name of this client, such as `crowdai/0.1.0 node/26.10.0`. */
  client: string;
}

/** The error for an answer of a broker that this client cannot read, with the version that is needed. */
export function notUnderstood(problem: string | null, versions: Versions): CrowdaiError {
  const why = problem === null ? "" : `: ${problem}`;
  const { broker } = versions;
  const client = /^crowdai\/(\S+)/.exec(versions.client)?.[1] ?? null;
  return new CrowdaiError("unexpected", `The client does not understand the broker's answer${why}.`, {
    next: nextStep(broker, client),
    details: { broker_version: broker, client_version: client },
  });
}

/**
 * Returns the path to the first field that does not match a schema, such as `rounds.0.state`; null for the
 * whole value.
 */
export function fieldOf({ issues }: z.ZodError): string | null {
  return issues[0]?.path.join(".") || null;
}

function nextStep(broker: string | null, client: string | null): string {
  const order = broker !== null && client !== null ? compare(broker, client) : null;
  if (order === null)
    return "Compare `crowdai --version` with the version of the broker; you may need a newer client.";
  if (order > 0)
    return `The broker has version ${broker}, this client ${client}. Install crowdai ${broker} or newer.`;
  if (order < 0)
    return `The broker has version ${broker}, which is older than this client (${client}). Use crowdai ${broker}, or ask the operator to upgrade the broker.`;
  return `The broker and this client both have version ${client}: something between them may have changed the answer. Try another network.`;
}

/**
 * Returns a negative number if `a` is the older version, 0 for equal ones; null if one of them is not a
 * version.
 */
function compare(a: string, b: string): number | null {
  const [left, right] = [a, b].map((version) => /^(\d+)\.(\d+)\.(\d+)/.exec(version)?.slice(1).map(Number));
  if (!left || !right) return null;
  const at = left.findIndex((number, index) => number !== right[index]);
  return at < 0 ? 0 : left[at]! - right[at]!;
}
