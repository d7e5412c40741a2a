/** An element that is open, and the Markdown of what it holds so far. */
interface Open {
  tag: string;
  attributes: string;
  text: string;
  /** Of a table: rows of cells. Of a row: its cells. */
  rows: string[][];
  cells: string[];
}

/** Elements without content. */
const VOID = ["br", "hr", "img", "input", "meta", "link", "source", "wbr", "col", "area", "base", "embed"];
/** Elements whose content is not text. */
const HIDDEN = [
  "script",
  "style",
  "head",
  "title",
  "template",
  "iframe",
  "object",
  "svg",
  "math",
  "noscript",
];
const BLOCKS =
  /^(?:p|div|section|article|header|footer|main|aside|nav|form|figure|figcaption|center|address|details|summary|dl|dt|dd|fieldset)$/;
const MAX_DEPTH = 100;
/** The longest tag; what is longer is text. */
const MAX_TAG = 2000;

/**
 * Converts the HTML of a page to Markdown, which descriptions of challenges are. Scripts and styles are
 * dropped.
 */
export function htmlToMarkdown(html: string): string {
  const stack: Open[] = [open("", "")];
  const top = () => stack.at(-1)!;
  const within = (tag: string) => stack.some((one) => one.tag === tag);
  const close = () => {
    const closed = stack.pop()!;
    top().text += render(closed, stack);
  };
  for (const part of partsOf(html)) {
    if (typeof part === "string") {
      if (stack.some(({ tag }) => HIDDEN.includes(tag))) continue;
      const text = decode(part);
      top().text += within("pre") || within("code") ? text : escaped(text.replace(/\s+/g, " "));
      continue;
    }
    const { tag, attributes } = part;
    if (part.isEnd) {
      if (stack.findLastIndex((one) => one.tag === tag) < 1) continue;
      while (top().tag !== tag) close();
      close();
    } else if (VOID.includes(tag)) top().text += renderVoid(tag, attributes);
    else if (stack.length < MAX_DEPTH) {
      const bound = stack.findLastIndex((one) => BOUNDS.includes(one.tag));
      const ended = stack.findIndex((one, at) => at > bound && endsWith(one.tag, tag));
      if (ended > 0) while (stack.length > ended) close();
      stack.push(open(tag, attributes));
    }
  }
  while (stack.length > 1) close();
  return top()
    .text.replace(/[ \t]+\n/g, (spaces) => (spaces === "  \n" ? spaces : "\n"))
    .replace(/\n{3,}/g, "\n\n")
    .trim();
}

interface Tag {
  tag: string;
  attributes: string;
  isEnd: boolean;
}

/** Splits HTML into texts and tags, without comments. */
function* partsOf(html: string): Generator<string | Tag> {
  const last = html.lastIndexOf(">");
  let from = 0;
  while (from < html.length) {
    const at = html.indexOf("<", from);
    if (at < 0 || at > last) return yield html.slice(from);
    if (at > from) yield html.slice(from, at);
    const end = endOf(html, at);
    from = Math.max(end, at) + 1;
    const [, slash, name, attributes = ""] =
      /^<(\/?)([A-Za-z][A-Za-z0-9-]*)(.*)>$/s.exec(html.slice(at, end + 1)) ?? [];
    if (name !== undefined) yield { tag: name.toLowerCase(), attributes, isEnd: slash === "/" };
    else if (html[at + 1] !== "!") yield html.slice(at, from);
  }
}

/** Returns where a tag or a comment ends; where it begins when it does not end. */
function endOf(html: string, start: number): number {
  if (html.startsWith("<!--", start)) {
    const end = html.indexOf("-->", start + 4);
    return end < 0 ? html.length : end + 2;
  }
  let quote = "";
  for (let at = start + 1; at < Math.min(html.length, start + MAX_TAG); at++) {
    const c = html[at]!;
    if (quote !== "") quote = c === quote ? "" : quote;
    else if (c === ">") return at;
    else if (c === "<") return start;
    else if (c === '"' || c === "'") quote = c;
  }
  return start;
}

/** Elements that end an element without an end tag. */
const BOUNDS = ["ul", "ol", "dl", "table", "blockquote"];

/** Whether an element without its end ends where another one begins. */
function endsWith(tag: string, next: string): boolean {
  if (tag === "p")
    return BLOCKS.test(next) || /^(?:h[1-6]|ul|ol|pre|table|blockquote|li|tr|td|th)$/.test(next);
  if (tag === "td" || tag === "th") return ["td", "th", "tr"].includes(next);
  return tag === "li" || tag === "tr" ? next === tag : (tag === "dt" || tag === "dd") && /^d[td]$/.test(next);
}

const open = (tag: string, attributes: string): Open => ({ tag, attributes, text: "", rows: [], cells: [] });

function render({ tag, attributes, text, rows, cells }: Open, above: readonly Open[]): string {
  const nearest = (...tags: string[]) => above.findLast((one) => tags.includes(one.tag));
  const line = text.replace(/\s+/g, " ").trim();
  if (HIDDEN.includes(tag)) return "";
  if (/^h[1-6]$/.test(tag))
    return line === "" ? "" : `\n\n${"#".repeat(Math.min(6, Number(tag[1]) + 2))} ${line}\n\n`;
  if (BLOCKS.test(tag)) return `\n\n${text.trim()}\n\n`;
  switch (tag) {
    case "strong":
    case "b":
      return marked(text, "**");
    case "em":
    case "i":
      return marked(text, "*");
    case "code":
    case "kbd":
    case "samp":
      return nearest("pre") ? text : codeOf(text);
    case "pre": {
      const fence = "`".repeat(Math.max(3, longestTicks(text) + 1));
      return `\n\n${fence}\n${text.replace(/^\n|\s+$/g, "")}\n${fence}\n\n`;
    }
    case "a": {
      const href = decode(attributeOf(attributes, "href"));
      return /^(?:https?:|mailto:)/i.test(href) && line !== "" ? `[${line}](${addressOf(href)})` : text;
    }
    case "li": {
      const marker = nearest("ul", "ol")?.tag === "ol" ? "1. " : "- ";
      const body = text
        .trim()
        .replace(/\n{2,}/g, "\n\n")
        .replace(/\n(?!\n)/g, `\n${" ".repeat(marker.length)}`);
      return `\n${marker}${body}`;
    }
    case "ul":
    case "ol":
      return `\n\n${text.trim()}\n\n`;
    case "blockquote":
      return `\n\n${text.trim().replace(/^/gm, "> ")}\n\n`;
    case "td":
    case "th":
      nearest("tr")?.cells.push(line.replaceAll("|", "\\|"));
      return "";
    case "tr":
      nearest("table")?.rows.push(cells);
      return "";
    case "table":
      return tableOf(rows);
    default:
      return text;
  }
}

function renderVoid(tag: string, attributes: string): string {
  if (tag === "br") return "  \n";
  if (tag === "hr") return "\n\n---\n\n";
  if (tag !== "img") return "";
  const alt = escaped(decode(attributeOf(attributes, "alt"))) || "image";
  const source = decode(attributeOf(attributes, "src"));
  return /^https:/i.test(source) ? `![${alt}](${addressOf(source)})` : "";
}

function tableOf(rows: readonly string[][]): string {
  const width = Math.max(0, ...rows.map((cells) => cells.length));
  if (width === 0) return "";
  const row = (cells: readonly string[]) =>
    `| ${Array.from({ length: width }, (_, at) => cells[at] ?? "").join(" | ")} |`;
  const [head = [], ...body] = rows;
  return `\n\n${[row(head), `|${" --- |".repeat(width)}`, ...body.map(row)].join("\n")}\n\n`;
}

/** Marks must touch the words that they emphasize. */
function marked(text: string, mark: string): string {
  const words = text.trim();
  if (words === "" || words.includes("\n\n")) return text;
  return text.replace(words, () => `${mark}${words}${mark}`);
}

function codeOf(text: string): string {
  const words = text.replace(/\s+/g, " ").trim();
  if (words === "") return "";
  const ticks = "`".repeat(longestTicks(words) + 1);
  const space = /^`|`$/.test(words) ? " " : "";
  return `${ticks}${space}${words}${space}${ticks}`;
}

const longestTicks = (text: string) =>
  Math.max(0, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));

function attributeOf(attributes: string, name: string): string {
  const match = new RegExp(`(?:^|\\s)${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s"'>]+))`, "i").exec(
    attributes,
  );
  return (match?.[1] ?? match?.[2] ?? match?.[3] ?? "").trim();
}

const addressOf = (href: string) =>
  href.replace(/[\s<>()\\]/g, (c) => encodeURIComponent(c).replace("(", "%28").replace(")", "%29"));

/** Makes text read in Markdown as it is written. */
const escaped = (text: string) =>
  text.replace(/[\\`*_[\]<>]/g, "\\$&").replace(/^(\s*)([#+-]|\d+[.)])(?=\s)/, "$1\\$2");

/** Symbols of formulas, and Greek letters, of which each has a capital. */
const SYMBOLS =
  "isin ∈ notin ∉ cup ∪ cap ∩ sub ⊂ sube ⊆ empty ∅ forall ∀ exist ∃ prod ∏ int ∫ radic √ minus − sdot ⋅ divide ÷ harr ↔ rArr ⇒ and ∧ or ∨ not ¬ prop ∝ part ∂ nabla ∇ euro € sect §";
const GREEK =
  "alpha α beta β gamma γ delta δ epsilon ε zeta ζ eta η theta θ iota ι kappa κ lambda λ mu μ nu ν xi ξ omicron ο pi π rho ρ sigma σ tau τ upsilon υ phi φ chi χ psi ψ omega ω";
const pairsOf = (text: string): Record<string, string> =>
  Object.fromEntries([...text.matchAll(/(\S+) (\S+)/g)].map(([, name, sign]) => [name, sign]));
const capital = (text: string) =>
  text.replace(/(\S)(\S*) (\S)/g, (_, a, rest, sign) => `${a.toUpperCase()}${rest} ${sign.toUpperCase()}`);

const NAMED: Readonly<Record<string, string>> = {
  ...pairsOf(SYMBOLS),
  ...pairsOf(GREEK),
  ...pairsOf(capital(GREEK)),
  ...{
    amp: "&",
    lt: "<",
    gt: ">",
    quot: '"',
    apos: "'",
    nbsp: " ",
    copy: "©",
    reg: "®",
    trade: "™",
    deg: "°",
  },
  ...{
    ndash: "–",
    mdash: "—",
    hellip: "…",
    lsquo: "‘",
    rsquo: "’",
    ldquo: "“",
    rdquo: "”",
    bull: "•",
    middot: "·",
  },
  ...{
    times: "×",
    plusmn: "±",
    le: "≤",
    ge: "≥",
    ne: "≠",
    asymp: "≈",
    rarr: "→",
    larr: "←",
    sum: "∑",
    infin: "∞",
  },
  ...{
    auml: "ä",
    ouml: "ö",
    uuml: "ü",
    Auml: "Ä",
    Ouml: "Ö",
    Uuml: "Ü",
    szlig: "ß",
    eacute: "é",
    egrave: "è",
  },
  ...{
    ecirc: "ê",
    agrave: "à",
    aacute: "á",
    ccedil: "ç",
    ntilde: "ñ",
    oacute: "ó",
    iacute: "í",
    uacute: "ú",
  },
  ...{ alpha: "α", beta: "β", gamma: "γ", delta: "δ", lambda: "λ", mu: "μ", pi: "π", sigma: "σ", euro: "€" },
};

function decode(text: string): string {
  return text.replace(
    /&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([A-Za-z]{1,10}));/g,
    (whole, decimal, hex, name) => {
      if (name !== undefined) return Object.hasOwn(NAMED, name) ? NAMED[name]! : whole;
      const code = decimal === undefined ? Number.parseInt(hex, 16) : Number(decimal);
      return code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff)
        ? String.fromCodePoint(code)
        : "";
    },
  );
}
