import { shortTime, shownTime, truncateText } from "./format.ts";

/** A name or short text from a user, isolated so that its direction and marks end with it. */
export function UntrustedText({ text, most = 120 }: { text: string; most?: number }) {
  return <bdi class="outside">{truncateText(text, most)}</bdi>;
}

/** A name in a narrow column: it may break after the marks that join its parts. */
export function UntrustedName({ text, most = 60 }: { text: string; most?: number }) {
  const parts = truncateText(text, most).split(/(?<=[-_./@:+])(?=[^\s-_./@:+])/);
  return (
    <bdi class="outside">
      {parts.map((part, index) => (
        <>
          {index > 0 ? <wbr /> : null}
          {part}
        </>
      ))}
    </bdi>
  );
}

/** A longer text from a user, with its line breaks. */
export function UntrustedParagraphs({ text, most = 20_000 }: { text: string; most?: number }) {
  return (
    <p class="words" dir="auto">
      {truncateText(text, most)}
    </p>
  );
}

/**
 * A time in UTC, which the script replaces by the reader's. `beside` keeps UTC beside it, for deadlines;
 * `short` leaves out this year, for tables. Else UTC is in the tooltip.
 */
export function Time({ at, form }: { at: string; form?: "short" | "beside" }) {
  if (form === "short")
    return (
      <time datetime={at} data-form="short">
        {shortTime(at, new Date())}
      </time>
    );
  return (
    <time datetime={at} data-form={form}>
      {shownTime(at)}
    </time>
  );
}

export function Digest({ sha256 }: { sha256: string }) {
  return (
    <code class="digest" title={`SHA-256 ${sha256}`}>
      <span class="unseen">SHA-256 </span>
      {sha256}
    </code>
  );
}
