type Env = Readonly<Record<string, string | undefined>>;

/** Variables that coding agents set for the programs that they run. */
const AGENTS: readonly (readonly [name: string, ...variables: string[]])[] = [
  ["claude-code", "CLAUDECODE", "CLAUDE_CODE"],
  ["cursor", "CURSOR_AGENT"],
  ["codex", "CODEX_SANDBOX", "CODEX_SANDBOX_NETWORK_DISABLED", "CODEX_THREAD_ID", "CODEX_CI"],
  ["gemini-cli", "GEMINI_CLI"],
  ["copilot", "COPILOT_CLI", "COPILOT_AGENT"],
  ["opencode", "OPENCODE", "OPENCODE_CLIENT"],
  ["cline", "CLINE_ACTIVE"],
  ["amp", "AMP_CURRENT_THREAD_ID"],
  ["augment", "AUGMENT_AGENT"],
  ["replit", "REPLIT_AGENT"],
];

/**
 * Returns the name of the coding agent that runs this command: AI_AGENT, or that of one we know.
 * `AI_AGENT=0`: none.
 */
export function findAgent(env: Env): string | null {
  if (env.AI_AGENT) return isOff(env.AI_AGENT) ? null : env.AI_AGENT;
  const found = AGENTS.find(([, ...variables]) => variables.some((name) => env[name] && !isOff(env[name])));
  return found?.[0] ?? null;
}

function isOff(value: string): boolean {
  return value === "0" || value === "false";
}
