/** Items numbered in the order they come up, each once. */

/** Gives each key one index, and keeps the first item that came with it. */
export class Indexer<Item> {
  readonly #indexes = new Map<string, number>();
  readonly #items: Item[] = [];

  get items(): readonly Item[] {
    return Object.freeze([...this.#items]);
  }

  at(index: number): Item {
    return itemAt(this.#items, index);
  }

  indexOf(key: string, item: Item): number {
    const known = this.#indexes.get(key);
    if (known !== undefined) return known;
    const index = this.#items.push(item) - 1;
    this.#indexes.set(key, index);
    return index;
  }
}

export function itemAt<Item>(items: readonly Item[], index: number): Item {
  const item = items[index];
  if (item === undefined) throw new Error(`there is no item ${index} among ${items.length}`);
  return item;
}
