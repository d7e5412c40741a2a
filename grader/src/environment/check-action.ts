import type { Space } from "@crowdai/shared";

/** Returns what is wrong with an action, such as "expected 18 numbers, got 17", or null. */
export type CheckAction = (action: unknown) => string | null;

/** The values that a type of numpy can hold. Others would become infinite, or an error of the environment. */
const RANGES: Readonly<Record<string, readonly [number, number]>> = {
  ...{ int8: [-128, 127], int16: [-32_768, 32_767], int32: [-(2 ** 31), 2 ** 31 - 1] },
  ...{ int64: [-(2 ** 53), 2 ** 53], uint8: [0, 255], uint16: [0, 65_535], uint32: [0, 2 ** 32 - 1] },
  ...{ uint64: [0, 2 ** 53], float16: [-65_504, 65_504], float32: [-3.4e38, 3.4e38] },
};

/**
 * Compiles the check of the actions of a space: their form and type. The bounds of a Box are the
 * environment's business.
 */
export function actionCheck(space: Space): CheckAction {
  switch (space.name) {
    case "Discrete": {
      const { n, start = 0 } = space;
      return integerCheck(start, start + n - 1);
    }
    case "Box":
      return boxCheck(space.shape, space.dtype);
    case "MultiDiscrete":
      return listCheck(space.nvec.map((n) => integerCheck(0, n - 1)));
    case "MultiBinary":
      return listCheck(Array.from({ length: space.n }, () => integerCheck(0, 1)));
    case "Dict":
      return dictCheck(space.spaces);
    case "Tuple":
      return listCheck(space.spaces.map(actionCheck));
    case "Text":
      return textCheck(space.max_length);
    case "Any":
      return (action) => (notFinite(action) === null ? null : "expected finite numbers");
  }
}

function integerCheck(low: number, high: number): CheckAction {
  return (action) =>
    Number.isInteger(action) && (action as number) >= low && (action as number) <= high
      ? null
      : `expected a whole number from ${low} to ${high}, got ${shown(action)}`;
}

function boxCheck(shape: readonly number[], dtype: string | undefined): CheckAction {
  const [low, high] = RANGES[dtype ?? ""] ?? [-Number.MAX_VALUE, Number.MAX_VALUE];
  const whole = /^u?int/.test(dtype ?? "");
  const kind = whole ? `whole number from ${low} to ${high}` : "finite number";
  const fits = (value: unknown): boolean =>
    typeof value === "number" && value >= low && value <= high && (!whole || Number.isInteger(value));
  const check = (value: unknown, depth: number): string | null => {
    if (depth === shape.length) return fits(value) ? null : `expected a ${kind}, got ${shown(value)}`;
    const length = shape[depth]!;
    const what = depth === shape.length - 1 ? "numbers" : "lists";
    if (!Array.isArray(value)) return `expected a list of ${length} ${what}, got ${shown(value)}`;
    if (value.length !== length) return `expected ${length} ${what}, got ${value.length}`;
    for (const item of value) {
      const problem = check(item, depth + 1);
      if (problem !== null) return problem;
    }
    return null;
  };
  return (action) => check(action, 0);
}

function listCheck(checks: readonly CheckAction[]): CheckAction {
  return (action) => {
    if (!Array.isArray(action)) return `expected a list of ${checks.length}, got ${shown(action)}`;
    if (action.length !== checks.length) return `expected a list of ${checks.length}, got ${action.length}`;
    for (const [index, check] of checks.entries()) {
      const problem = check(action[index]);
      if (problem !== null) return `item ${index + 1}: ${problem}`;
    }
    return null;
  };
}

function dictCheck(spaces: Readonly<Record<string, Space>>): CheckAction {
  const checks = Object.entries(spaces).map(([name, space]) => [name, actionCheck(space)] as const);
  return (action) => {
    if (typeof action !== "object" || action === null || Array.isArray(action))
      return `expected an object, got ${shown(action)}`;
    for (const [name, check] of checks) {
      if (!Object.hasOwn(action, name)) return `expected the field ${shown(name)}`;
      const problem = check((action as Record<string, unknown>)[name]);
      if (problem !== null) return `${name}: ${problem}`;
    }
    const extra = Object.keys(action).find((name) => !Object.hasOwn(spaces, name));
    return extra === undefined ? null : `unknown field ${shown(extra)}`;
  };
}

function textCheck(maxLength: number | undefined): CheckAction {
  return (action) => {
    if (typeof action !== "string") return `expected a text, got ${shown(action)}`;
    if (maxLength === undefined || action.length <= maxLength) return null;
    return `expected at most ${maxLength} characters, got ${action.length}`;
  };
}

/**
 * Returns the path of the first number that JSON cannot represent, such as ".1.speed"; null when there is
 * none.
 */
export function notFinite(value: unknown): string | null {
  if (typeof value === "number") return Number.isFinite(value) ? null : "";
  if (typeof value !== "object" || value === null) return null;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const item = value[i];
      if (typeof item === "number") {
        if (!Number.isFinite(item)) return `.${i}`;
      } else if (typeof item === "object") {
        const found = notFinite(item);
        if (found !== null) return `.${i}${found}`;
      }
    }
    return null;
  }
  for (const name in value) {
    const found = notFinite((value as Record<string, unknown>)[name]);
    if (found !== null) return `.${name}${found}`;
  }
  return null;
}

const MAX_SHOWN = 60;

function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "object" && value !== null) return "an object";
  if (typeof value === "number") return String(value);
  const text = JSON.stringify(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)} …` : text;
}
