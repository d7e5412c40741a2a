import {
  curlOf,
  type Described,
  type Field,
  fieldsOf,
  groupOperations,
  jsonOf,
  type OpenApi,
  type Schema,
  typeOf,
} from "./api-reference/openapi.ts";
import { pathTo } from "./path-to.tsx";
import { Commands, Scroll } from "./scrollable.tsx";

const KEY = { none: "no key", optional: "key optional", required: "key required" };

/** The API for people: each operation with its parameters, fields and an example, made from /openapi.json. */
export function ApiPage({ api, broker }: { api: OpenApi; broker: string }) {
  const groups = groupOperations(api);
  // Many operations answer with the same: it is described once.
  const described = new Map<string, Described>();
  return (
    <>
      <div class="opening">
        <h1>API</h1>
        <p>
          Everything the command line does is a request to this API; answers are JSON, except for files. Send
          your key as <code>Authorization: Bearer</code>. An error has a code, a message and the next step; it
          says whether it is your fault and whether a retry can succeed. The same for programs:{" "}
          <a href={pathTo("/openapi.json")}>openapi.json</a>.
        </p>
      </div>
      <nav class="api-groups" aria-label="API">
        <ul>
          {groups.map(({ title, anchor }) => (
            <li>
              <a href={`#${anchor}`}>{title}</a>
            </li>
          ))}
        </ul>
      </nav>
      {groups.map(({ title, anchor, operations }) => (
        <section aria-labelledby={anchor}>
          <h2 id={anchor}>{title}</h2>
          {operations.map((one) => (
            <OperationView operation={one} api={`${broker}/api/v1`} described={described} />
          ))}
        </section>
      ))}
    </>
  );
}

function OperationView({
  operation,
  api,
  described,
}: {
  operation: Described;
  api: string;
  described: Map<string, Described>;
}) {
  const {
    method,
    path,
    anchor,
    summary,
    description,
    key,
    parameters = [],
    requestBody,
    responses,
  } = operation;
  const body = jsonOf(requestBody);
  const success = responses?.["200"];
  const answer = jsonOf(success);
  const text = JSON.stringify(answer);
  const same = answer && described.get(text);
  if (answer && !same) described.set(text, operation);
  return (
    <details class="operation" id={anchor}>
      <summary>
        <code>
          <b>{method}</b> {path}
        </code>
        <span class="tag">{KEY[key]}</span>
        <span class="operation-summary">{summary}</span>
      </summary>
      {description ? <p>{description}</p> : null}
      <Commands label={`Example of ${method} ${path}`} text={curlOf(operation, api)} />
      {parameters.length > 0 ? (
        <Fields
          title="Parameters"
          fields={parameters.map((one) => ({
            name: one.name,
            required: one.required ?? false,
            schema: { description: one.description, ...one.schema } as Schema,
          }))}
        />
      ) : null}
      {body ? <Fields title="Body" fields={fieldsOf(body)} /> : null}
      {same ? (
        <p>
          Answers as{" "}
          <a href={`#${same.anchor}`}>
            {same.method} {same.path}
          </a>{" "}
          does.
        </p>
      ) : answer ? (
        <Fields title="Answer" fields={fieldsOf(answer)} />
      ) : success ? (
        <p>Answer: {success.description}</p>
      ) : null}
    </details>
  );
}

function Fields({ title, fields }: { title: string; fields: Field[] }) {
  if (fields.length === 0) return null;
  return (
    <>
      <h3>{title}</h3>
      <Scroll label={title}>
        <table class="api-fields">
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Type</th>
              <th scope="col">Meaning</th>
            </tr>
          </thead>
          <tbody>
            <Rows fields={fields} within="" depth={0} />
          </tbody>
        </table>
      </Scroll>
    </>
  );
}

const MAX_DEPTH = 3;

function Rows({ fields, within, depth }: { fields: Field[]; within: string; depth: number }) {
  return (
    <>
      {fields.map(({ name, schema, required }) => (
        <>
          <tr>
            <th scope="row">
              <code>
                {within}
                {within ? <wbr /> : null}
                {name}
              </code>
              {required || schema.default !== undefined ? null : <span class="note"> optional</span>}
            </th>
            <td>{typeOf(schema)}</td>
            <td>
              {schema.description}
              {schema.default === undefined || schema.default === null ? null : (
                <span class="note"> Default: {JSON.stringify(schema.default)}</span>
              )}
            </td>
          </tr>
          {depth < MAX_DEPTH ? (
            <Rows fields={fieldsOf(schema)} within={`${within}${name}.`} depth={depth + 1} />
          ) : null}
        </>
      ))}
    </>
  );
}
