/** Each node's outgoing edges. */
export type Graph = ReadonlyMap<string, ReadonlySet<string>>;

/** Returns one shortest cycle for every knot of nodes that reach each other, without its closing node. */
export function findCycles(graph: Graph): string[][] {
  const left = new Set(graph.keys());
  const cycles: string[][] = [];
  for (const node of graph.keys()) {
    if (!left.has(node)) continue;
    const cycle = cycleThrough(graph, node);
    if (!cycle) continue;
    cycles.push(cycle);
    const reached = reachableFrom(graph, node);
    for (const other of reached) if (reachableFrom(graph, other).has(node)) left.delete(other);
  }
  return cycles;
}

/** Breadth first, so that what is reported is the shortest way back. */
function cycleThrough(graph: Graph, start: string): string[] | null {
  const cameFrom = new Map<string, string>();
  const queue = [start];
  for (let node = queue.shift(); node !== undefined; node = queue.shift())
    for (const next of graph.get(node) ?? []) {
      if (next === start) return pathTo(node, cameFrom);
      if (cameFrom.has(next)) continue;
      cameFrom.set(next, node);
      queue.push(next);
    }
  return null;
}

function pathTo(end: string, cameFrom: ReadonlyMap<string, string>): string[] {
  const path = [end];
  for (let node = cameFrom.get(end); node !== undefined; node = cameFrom.get(node)) path.unshift(node);
  return path;
}

function reachableFrom(graph: Graph, start: string): Set<string> {
  const reached = new Set<string>();
  const queue = [start];
  for (let node = queue.pop(); node !== undefined; node = queue.pop())
    for (const next of graph.get(node) ?? []) {
      if (reached.has(next)) continue;
      reached.add(next);
      queue.push(next);
    }
  return reached;
}
