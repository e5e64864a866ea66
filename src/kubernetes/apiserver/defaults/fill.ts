/** Filling in fields without editing: an object in which nothing is missing comes back as it is. */

/** The object with each field of `defaults` that it lacks. */
export function fill<T extends object>(object: T, defaults: Partial<T>): T {
  let out = object;
  for (const key in defaults) {
    const value = defaults[key];
    if (value === undefined || object[key] !== undefined) continue;
    if (out === object) out = { ...object };
    out[key] = value;
  }
  return out;
}

/** The object with `key` changed by `change`; untouched when the field is missing or comes back the same. */
export function at<T extends object, K extends keyof T>(object: T, key: K, change: (value: NonNullable<T[K]>) => T[K]): T {
  const before = object[key];
  if (before === undefined || before === null) return object;
  const after = change(before);
  return after === before ? object : { ...object, [key]: after };
}

/** The list with every item changed; the same list when none was. */
export function each<E>(list: E[], change: (item: E) => E): E[] {
  let out = list;
  for (let i = 0; i < list.length; i += 1) {
    const before = list[i] as E;
    const after = change(before);
    if (after === before) continue;
    if (out === list) out = [...list];
    out[i] = after;
  }
  return out;
}
