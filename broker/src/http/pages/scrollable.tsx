import type { Child } from "hono/jsx";

/** A box for content wider than the page. It scrolls by itself, also with the keyboard, and has a label. */
export function Scroll({ label, children }: { label: string; children?: Child }) {
  return (
    <section class="scroll" tabindex={0} aria-label={label}>
      {children}
    </section>
  );
}

/** Commands to copy. No line breaks inside a flag. The script adds the Copy button. */
export function Commands({ label, text }: { label: string; text: string }) {
  return (
    <div class="commands" data-copy>
      <Scroll label={label}>
        <pre>
          <code>
            {text
              .split(/(--[a-z][a-z-]*)/)
              .map((part, index) => (index % 2 === 1 ? <span class="flag">{part}</span> : part))}
          </code>
        </pre>
      </Scroll>
    </div>
  );
}
