const MAX_BYTES = 256 * 1024;

/**
 * Reads a JSON document of an issuer. Follows no redirect. Throws an Error whose message completes "the
 * issuer …" when it does not answer in time, with a status other than 200, with more than 256 KB, or with
 * something other than JSON.
 */
export async function readDocument(url: string, timeoutMs: number): Promise<unknown> {
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(url, {
      redirect: "manual",
      headers: { accept: "application/json" },
      signal,
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new UnusableDocument(`answered ${url} with status ${response.status}`);
    }
    const text = await readText(response, url);
    try {
      return JSON.parse(text);
    } catch {
      throw new UnusableDocument(`answered ${url} with something other than JSON`);
    }
  } catch (error) {
    if (error instanceof UnusableDocument) throw error;
    if (signal.aborted) throw new UnusableDocument(`did not answer ${url} within ${timeoutMs / 1000} s`);
    throw new UnusableDocument(`cannot be reached at ${url}: ${reasonOf(error)}`);
  }
}

export class UnusableDocument extends Error {
  override readonly name = "UnusableDocument";
}

async function readText(response: Response, url: string): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > MAX_BYTES) throw new UnusableDocument(`answered ${url} with more than ${MAX_BYTES / 1024} KB`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function reasonOf(error: unknown): string {
  const { cause = error } = error as Error;
  const { code, message } = cause as NodeJS.ErrnoException;
  return code ?? message;
}
