/**
 * Returns the headers of a CSV file with a header, which browsers save under a name that every file system
 * takes.
 */
export const csvHeaders = (...name: string[]) => ({
  "content-type": "text/csv; charset=utf-8; header=present",
  "content-disposition": `attachment; filename="${name.join("-").replace(/[^\w.-]+/g, "_")}.csv"`,
  "cache-control": "private, no-cache",
});
