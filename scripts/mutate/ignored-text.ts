/** The part of a Babel path that the rule looks at. */
interface Path {
  node: { type: string; callee?: Node };
  parent: { type: string; callee?: Node; arguments?: unknown[] } | null;
}

interface Node {
  type: string;
  name?: string;
  object?: Node;
  property?: Node;
}

/** Calls whose arguments people read, and no program. */
const DESCRIBING = /^(describe|meta|openapi)$/;
const LOGS = /^(log|logger)$/;

/** Why a piece of code is not mutated: it makes a text for people. Undefined for everything else. */
export function ignoredText({ node, parent }: Path): string | undefined {
  if (node.type === "CallExpression" && isLogCall(node.callee)) return "a log entry";
  const position = parent?.arguments?.indexOf(node) ?? -1;
  if (parent === null || position < 0) return;
  const made = parent.type === "NewExpression" ? (parent.callee?.name ?? "") : "";
  // The first argument of these is a code, which programs read.
  if (/^(CrowdaiError|RunFailure)$/.test(made)) return position === 1 ? "the message of an error" : undefined;
  if (/Error$/.test(made)) return position === 0 ? "the message of an error" : undefined;
  if (DESCRIBING.test(parent.callee?.property?.name ?? "")) return "a description";
}

function isLogCall(callee: Node | undefined): boolean {
  const object = callee?.object;
  return LOGS.test(object?.name ?? object?.property?.name ?? "");
}
