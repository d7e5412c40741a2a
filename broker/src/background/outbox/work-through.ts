/** Works through items in their order, several at once, until an item's work resolves to `false`. */
export async function workThrough<T>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<boolean>,
): Promise<void> {
  const left = items[Symbol.iterator]();
  let goesOn = true;
  const next = async () => {
    for (const item of left) {
      if (!goesOn) return;
      goesOn = (await work(item)) && goesOn;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, next));
}
