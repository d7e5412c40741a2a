import type { ChallengeConfig } from "@crowdai/shared/challenge-folder";
import MarkdownIt, { type Env as AnyEnv, type Token } from "markdown-it";
import { withBasePath } from "../../base/base-path.ts";
import type { ServedChallenge } from "../../domain/challenges/catalog.ts";
import type { Needs } from "../../domain/submissions/services.ts";
import { truncateText } from "./format.ts";
import { formulas, plainFormula, type RenderFormula } from "./markdown/formulas.ts";
import { type Picture, publicFileOf, readPicture } from "./markdown/pictures.ts";
import { createFormulaRenderer } from "./markdown/render-formula.ts";

/** The renderer's knowledge of the text. */
interface Env extends AnyEnv {
  basePath?: string;
  formula?: RenderFormula;
  challenge?: string;
  /** Pictures by their addresses in the text. */
  pictures?: ReadonlyMap<string, Picture>;
}

const MAX_PICTURES = 100;

const markdown = new MarkdownIt({ html: false, linkify: true, typographer: false }).use(formulas);

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

// Pictures of the challenge's public folder are shown. An image on another server would reveal who reads the
// page, and the content-security policy blocks it: show a link.
markdown.renderer.rules.image = (tokens, index, _options, anyEnv) => {
  const env = anyEnv as Env | undefined;
  const token = tokens[index];
  const escaped = markdown.utils.escapeHtml;
  const href = String(token?.attrGet("src") ?? "");
  const words = escaped(token?.content || "image");
  const picture = env?.pictures?.get(href);
  if (picture) {
    const src = withBasePath(pictureAddress(env?.challenge ?? "", picture.file), env?.basePath ?? "");
    const size = picture.size ? ` width="${picture.size.width}" height="${picture.size.height}"` : "";
    return `<img src="${escaped(src)}" alt="${escaped(token?.content ?? "")}"${size} loading="lazy" />`;
  }
  return /^https:/i.test(href) ? `<a href="${escaped(href)}" rel="noopener nofollow">${words}</a>` : words;
};

markdown.renderer.rules.table_open = () => '<section class="scroll" tabindex="0" aria-label="Table"><table>';
markdown.renderer.rules.table_close = () => "</table></section>";

const pictureAddress = (challenge: string, { name, sha256 }: { name: string; sha256: string }): string =>
  `/challenges/${encodeURIComponent(challenge)}/pictures/${name.split("/").map(encodeURIComponent).join("/")}?v=${sha256.slice(0, 12)}`;

const rendered = new WeakMap<ChallengeConfig, Promise<string>>();

/**
 * Renders a challenge's description as HTML, once for each version of the challenge. Links that begin with a
 * slash lead to paths of this broker, below `basePath`.
 */
export function describe(
  context: Needs<"objects">,
  { config, data }: ServedChallenge,
  basePath: string,
): Promise<string> {
  const known = rendered.get(config);
  if (known) return known;
  const rendering = render(context, { config, data }, basePath);
  rendered.set(config, rendering);
  rendering.catch(() => rendered.delete(config));
  return rendering;
}

async function render(
  context: Needs<"objects">,
  { config, data }: Pick<ServedChallenge, "config" | "data">,
  basePath: string,
): Promise<string> {
  const env: Env = { basePath, challenge: config.id };
  const tokens = markdown.parse(truncateText(config.description, 200_000), env);
  const pictures = new Map<string, Picture>();
  for (const token of tokens
    .flatMap(({ children }) => children ?? [])
    .filter(({ type }) => type === "image")) {
    const address = String(token.attrGet("src") ?? "");
    const file = publicFileOf(data, address);
    if (!file || pictures.has(address) || pictures.size >= MAX_PICTURES) continue;
    // A file that cannot be read now is shown as its words.
    const picture = await readPicture(context, file).catch(() => null);
    if (picture) pictures.set(address, picture);
  }
  env.pictures = pictures;
  if (config.description.includes("$")) env.formula = await createFormulaRenderer();
  return markdown.renderer.render(tokens, markdown.options, env);
}

const sentences = new Intl.Segmenter("en", { granularity: "sentence" });
/** Shorter ones are rather an abbreviation, or an exclamation. */
const MIN_SENTENCE = 40;
const MAX_SUMMARY = 180;

const summaries = new WeakMap<ChallengeConfig, string>();

/** Returns the description's first sentence as plain text, for lists. */
export function summary(config: ChallengeConfig): string {
  let text = summaries.get(config);
  if (text === undefined) {
    text = summarize(config);
    summaries.set(config, text);
  }
  return text;
}

function summarize(config: ChallengeConfig): string {
  const tokens = markdown.parse(truncateText(config.description, 5000), {});
  const paragraphs = tokens
    .filter((token, index, all) => token.type === "inline" && all[index - 1]?.type === "paragraph_open")
    .map(plainText);
  const words = paragraphs.find((text) => text !== "") ?? "";
  let first = "";
  for (const { segment } of sentences.segment(words)) {
    first += segment;
    if (first.trim().length >= MIN_SENTENCE) break;
  }
  const shown = first.trim();
  return shown.length > MAX_SUMMARY ? `${shown.slice(0, MAX_SUMMARY).replace(/\s+\S*$/, "")} …` : shown;
}

/** Returns what the inline content says, without marks, pictures and markup. */
const plainText = ({ children }: Token): string =>
  (children ?? [])
    .map(({ type, content }) => {
      if (type === "softbreak" || type === "hardbreak") return " ";
      if (type === "image") return "";
      return type === "formula" ? plainFormula(content) : content;
    })
    .join("")
    .replace(/<\/?[a-z][^<>]*>/gi, "")
    .replace(/\s+/g, " ")
    .trim();
