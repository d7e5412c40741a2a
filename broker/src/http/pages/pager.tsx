const MAX_PAGE = 100_000;

/** Reads a page number from a query; 1 when it is missing or invalid. */
export function pageNumber(text: string | undefined): number {
  const n = /^\d{1,6}$/.test(text ?? "") ? Number(text) : 1;
  return Math.min(MAX_PAGE, Math.max(1, n));
}

/** Links to the pages around this one; nothing when there is only one page. */
export function Pager({
  label,
  page,
  pages,
  href,
}: {
  label: string;
  page: number;
  pages: number;
  href: (page: number) => string;
}) {
  if (pages <= 1 && page === 1) return null;
  const near = [...new Set([1, page - 1, page, page + 1, pages])]
    .filter((n) => n >= 1 && n <= pages)
    .sort((a, b) => a - b);
  return (
    <nav class="pager" aria-label={label}>
      <ul>
        {near.map((n, index) => (
          <>
            {n - (near[index - 1] ?? n) > 1 ? <li aria-hidden="true">…</li> : null}
            <li>
              <a href={href(n)} aria-current={n === page ? "page" : undefined}>
                <span class="unseen">Page </span>
                {n}
              </a>
            </li>
          </>
        ))}
      </ul>
    </nav>
  );
}
