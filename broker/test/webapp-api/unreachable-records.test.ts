import { CrowdaiError, createApiKey } from "@crowdai/shared";
import { Hono } from "hono";
import { DummyDriver, Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from "kysely";
import { describe, expect, it } from "vitest";
import { embeddedWebapp } from "../../src/background/webapp/embedded-webapp.ts";
import { readManager } from "../../src/http/webapp-api/callers.ts";
import { legacyRoutes } from "../../src/legacy/upload-routes.ts";
import type { LegacyUploads } from "../../src/legacy/uploads.ts";
import type { Tables } from "../../src/records/tables.ts";

/** Records whose server cannot be reached, as PostgreSQL reports it. */
const db = new Kysely<Tables>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () =>
      new (class extends DummyDriver {
        override async acquireConnection() {
          const connection = await super.acquireConnection();
          connection.executeQuery = async () => {
            throw new CrowdaiError("records_unreachable");
          };
          return connection;
        }
      })(),
    createIntrospector: (known) => new SqliteIntrospector(known),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
});

describe("a database that does not answer is not reported as a wrong key", () => {
  it("by the webapp API", async () => {
    await expect(readManager(db, null, createApiKey())).rejects.toMatchObject({
      code: "records_unreachable",
    });
  });

  it("by the upload addresses of older clients", async () => {
    const failures: unknown[] = [];
    const app = new Hono().route(
      "/",
      legacyRoutes(() => ({ webapp: embeddedWebapp(db) }), {} as LegacyUploads),
    );
    app.onError((error, c) => {
      failures.push(error);
      return c.body(null, 503);
    });
    const answer = await app.request(`/api/external_graders/${createApiKey()}/presign`);
    expect([answer.status, failures]).toEqual([
      503,
      [expect.objectContaining({ code: "records_unreachable" })],
    ]);
  });
});
