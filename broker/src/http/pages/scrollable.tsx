import type { Child } from "hono/jsx";

/** A box for content wider than the page. It scrolls by itself, also with the keyboard, and has a label. */
export function Scroll({ label, children }: { label: string; children?: Child }) {
  return (
    <section class="scroll" tabindex={0} aria-label={label}>
      {children}
    </section>
  );
}

/**
 * Commands to copy. A long one continues, indented, at its next option, and scrolls where there is none. The
 * script adds the Copy button, which copies each command as one line.
 */
export function Commands({ label, text }: { label: string; text: string }) {
  return (
    <div class="commands" data-copy>
      <Scroll label={label}>
        <pre>
          <code>
            {text.split(/(?<=\n)/).map((line) => (
              <span class="line">
                {line.split(/ (?=--?[a-zA-Z])/).map((part, index) => (
                  <>
                    {index > 0 ? " " : null}
                    <span class="part">{part}</span>
                  </>
                ))}
              </span>
            ))}
          </code>
        </pre>
      </Scroll>
    </div>
  );
}
