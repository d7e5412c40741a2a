import type { Child } from "hono/jsx";

/** Something that may be wider than the page: it scrolls by itself, with the keyboard too, and says what it is. */
export function Scroll({ label, children }: { label: string; children?: Child }) {
  return (
    <section class="scroll" tabindex={0} aria-label={label}>
      {children}
    </section>
  );
}

/** Lines to be copied, in which no flag is broken after its dashes. The script adds the button. */
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
