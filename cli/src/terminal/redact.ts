const SECRET_HEADER =
  /\b(authorization|proxy-authorization|private-token|job-token|cookie|set-cookie|x-api-key|x-amz-security-token)(["']?\s*[:=]\s*["']?)((?:bearer|basic|token|digest)\s+)?[^\s"',;]+/gi;
const TOKENS = [
  /\b(crowdai_)[0-9A-Za-z]{8,}/g,
  /\b(gh[pousr]_|github_pat_|glpat-|glptt-|hf_|npm_|xox[abprs]-|sk-)[0-9A-Za-z_-]{16,}/g,
  /\b(AKIA|ASIA)[0-9A-Z]{16}\b/g,
  /\b(eyJ)[\w-]+\.[\w-]+\.[\w-]*/g,
];

/**
 * Removes API keys and other tokens, the values of headers that hold them, the signatures and passwords of
 * URLs: none may reach a screen or a log.
 */
export function redact(text: string): string {
  let shown = text
    .replace(/(https?:\/\/)[^\s/"'@]+@/g, "$1…@")
    .replace(/(https?:\/\/[^\s"'?]+)\?[^\s"')\]]+/g, "$1?…")
    .replace(SECRET_HEADER, "$1$2$3…");
  for (const token of TOKENS) shown = shown.replace(token, "$1…");
  return shown;
}
