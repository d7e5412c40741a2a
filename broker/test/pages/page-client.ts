import type { TestBroker } from "../support/test-broker.ts";

/**
 * A client that acts like a browser: keeps cookies and sends forms as pages do. It does not follow redirects.
 */
export function createPageClient(test: { broker: Pick<TestBroker["broker"], "url"> }) {
  const cookies = new Map<string, string>();
  const visitor = {
    cookies,
    /** The `Set-Cookie` lines of the latest response. */
    set: [] as string[],
    async get(path: string, headers: Record<string, string> = {}): Promise<Response> {
      return take(
        await fetch(test.broker.url + path, { headers: { ...base(), ...headers }, redirect: "manual" }),
      );
    },
    async post(
      path: string,
      form: Record<string, string>,
      headers: Record<string, string> = {},
    ): Promise<Response> {
      return take(
        await fetch(test.broker.url + path, {
          method: "POST",
          body: new URLSearchParams(form),
          headers: { ...base(), origin: new URL(test.broker.url).origin, ...headers },
          redirect: "manual",
        }),
      );
    },
    signIn: (key: string, next = "/") => visitor.post("/sign-in", { key, next }),
    /** Returns the token in the forms of a page. */
    async token(path = "/"): Promise<string> {
      return /name="token" value="([^"]+)"/.exec(await (await visitor.get(path)).text())?.[1] ?? "";
    },
  };

  const base = (): Record<string, string> => ({
    accept: "text/html",
    cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; "),
  });

  function take(response: Response): Response {
    visitor.set = response.headers.getSetCookie();
    for (const line of visitor.set) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) as unknown as [string, string, string];
      if (value === "") cookies.delete(name);
      else cookies.set(name, value);
    }
    return response;
  }
  return visitor;
}
