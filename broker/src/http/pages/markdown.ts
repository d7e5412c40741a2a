import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import MarkdownIt from "markdown-it";
import { withBasePath } from "../../base/base-path.ts";
import { truncateText } from "./format.ts";

const markdown = new MarkdownIt({ html: false, linkify: true, typographer: false });

/** Keeps headings below those of the page. */
markdown.core.ruler.push("lower-headings", ({ tokens }) => {
  for (const token of tokens)
    if (token.type.startsWith("heading_")) token.tag = `h${Math.min(6, Number(token.tag.slice(1)) + 2)}`;
});

markdown.renderer.rules.link_open = (tokens, index, options, env, self) => {
  const href = String(tokens[index]?.attrGet("href") ?? "");
  if (/^\/(?!\/)/.test(href)) tokens[index]?.attrSet("href", withBasePath(href, String(env?.basePath ?? "")));
  if (/^https?:/i.test(href)) tokens[index]?.attrSet("rel", "noopener nofollow");
  return self.renderToken(tokens, index, options);
};

// An image on another server would reveal who reads the page, and the content-security policy blocks it: show a link.
markdown.renderer.rules.image = (tokens, index) => {
  const token = tokens[index];
  const escaped = markdown.utils.escapeHtml;
  const href = String(token?.attrGet("src") ?? "");
  const words = escaped(token?.content || "image");
  return /^https:/i.test(href) ? `<a href="${escaped(href)}" rel="noopener nofollow">${words}</a>` : words;
};

markdown.renderer.rules.table_open = () => '<section class="scroll" tabindex="0" aria-label="Table"><table>';
markdown.renderer.rules.table_close = () => "</table></section>";

const rendered = new WeakMap<ChallengeConfig, string>();

/**
 * Renders a challenge's description as HTML, once for each version of the challenge. Links that begin with a slash lead
 * to paths of this broker, below `basePath`.
 */
export function describe(config: ChallengeConfig, basePath: string): string {
  const known = rendered.get(config);
  if (known !== undefined) return known;
  const html = markdown.render(truncateText(config.description, 200_000), { basePath });
  rendered.set(config, html);
  return html;
}

/** Returns the description's first paragraph as plain text, for lists. */
export function summary(config: ChallengeConfig, most = 180): string {
  const inline = markdown
    .parse(truncateText(config.description, 5000), {})
    .find((token, index, all) => token.type === "inline" && all[index - 1]?.type === "paragraph_open");
  const words = (inline?.children ?? [])
    .map((child) => (child.type === "softbreak" || child.type === "hardbreak" ? " " : child.content))
    .join("")
    .trim();
  return words.length > most ? `${words.slice(0, most).replace(/\s+\S*$/, "")} …` : words;
}
