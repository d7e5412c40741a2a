import {
  type BinaryOperationNode,
  ColumnNode,
  type LimitNode,
  OperatorNode,
  ReferenceNode,
  SqliteQueryCompiler,
  ValueNode,
} from "kysely";

/** Columns in conditions of partial indexes. */
export const PARTIALLY_INDEXED = new Set([
  "accepted",
  "baseline",
  "current",
  "dry_run",
  "function",
  "publish",
  "state",
]);

/**
 * Writes a limit, and a value that a partially indexed column equals, into the text. SQLite prepares a
 * statement again at each run where such a value is a parameter, since its plan depends on it, and that costs
 * more than most statements. There are few such values, so that texts stay few.
 */
export class QueryCompiler extends SqliteQueryCompiler {
  protected override visitLimit(node: LimitNode): void {
    this.append("limit ");
    this.visitNode(written(node.limit));
  }

  protected override visitBinaryOperation(node: BinaryOperationNode): void {
    const { leftOperand, operator, rightOperand } = node;
    const decidesPlan =
      OperatorNode.is(operator) &&
      operator.operator === "=" &&
      ReferenceNode.is(leftOperand) &&
      ColumnNode.is(leftOperand.column) &&
      PARTIALLY_INDEXED.has(leftOperand.column.column.name);
    super.visitBinaryOperation(decidesPlan ? { ...node, rightOperand: written(rightOperand) } : node);
  }
}

/** Returns the operand as part of the text. Values that may be of many kinds stay parameters. */
function written<N extends BinaryOperationNode["rightOperand"]>(node: N): N | ValueNode {
  if (!ValueNode.is(node) || node.immediate) return node;
  const { value } = node;
  const isPlain =
    typeof value === "string" ? /^[a-z_]{1,20}$/.test(value) : Number.isSafeInteger(value as number);
  return isPlain ? ValueNode.createImmediate(value) : node;
}
