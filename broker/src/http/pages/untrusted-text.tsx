import { shownTime, truncateText } from "./format.ts";

/** A name or short text from a user, isolated so that its direction and marks end with it. */
export function UntrustedText({ text, most = 120 }: { text: string; most?: number }) {
  return <bdi class="outside">{truncateText(text, most)}</bdi>;
}

/** A longer text from a user, with its line breaks. */
export function UntrustedParagraphs({ text, most = 20_000 }: { text: string; most?: number }) {
  return (
    <p class="words" dir="auto">
      {truncateText(text, most)}
    </p>
  );
}

export function Time({ at }: { at: string }) {
  return <time datetime={at}>{shownTime(at)}</time>;
}

export function Digest({ sha256 }: { sha256: string }) {
  return (
    <code class="digest" title={`SHA-256 ${sha256}`}>
      <span class="unseen">SHA-256 </span>
      {sha256}
    </code>
  );
}
