/**
 * A map sorted by key: the B+ tree of the `sorted-btree` package. That package is CommonJS, and bundlers
 * disagree whether its default export is the class or the module around it; here it is the class.
 */
import * as module from 'sorted-btree';

type Tree = typeof module.default;
const outer = module.default as Tree & { readonly default?: Tree };

/** Keys compared by the function given, else as numbers or text. */
export const BTree: Tree = outer.default ?? outer;
export type BTree<K, V> = InstanceType<typeof module.default<K, V>>;
