import { isUtf8 } from "node:buffer";
import type { Reply } from "./session.ts";

/** Parses a line of an agent. Returns a SyntaxError, for people, when it is not JSON. */
export function readAgentLine(line: Buffer): unknown {
  if (!isUtf8(line)) return new SyntaxError("the line is not UTF-8");
  try {
    return JSON.parse(line.toString("utf8"));
  } catch {
    const text = line.toString("utf8");
    return new SyntaxError(
      `the line is not JSON: ${text.length > 60 ? `${text.slice(0, 60)} …` : text} (print to stderr instead)`,
    );
  }
}

/**
 * Returns the line of an answer. The observation, which is most of it, is not turned into text a second time.
 */
export function agentLine({ answer, observation }: Reply): string {
  if (observation === undefined || (answer.type !== "step" && answer.type !== "observation"))
    return `${JSON.stringify(answer)}\n`;
  const head =
    answer.type === "step" ? `"episode":${answer.episode},"n":${answer.n}` : `"episode":${answer.episode}`;
  const info = `,"info":${JSON.stringify(answer.info)}`;
  const outcome =
    answer.type === "step"
      ? `,"reward":${answer.reward},"terminated":${answer.terminated},"truncated":${answer.truncated}`
      : "";
  const bank = answer.type === "step" && answer.bank_ms !== undefined ? `,"bank_ms":${answer.bank_ms}` : "";
  return `{"type":"${answer.type}",${head},"observation":${observation}${outcome}${info}${bank}}\n`;
}
