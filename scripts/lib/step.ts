/** Runs a part of a longer script under a heading and prints how long it took. */
export async function step<T>(title: string, work: () => T | Promise<T>): Promise<T> {
  const began = performance.now();
  console.log(`\n── ${title}`);
  const result = await work();
  console.log(`   ${title}: ${((performance.now() - began) / 1000).toFixed(1)} s`);
  return result;
}
