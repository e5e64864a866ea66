/** Several errors as one text: the only one as it is, more in brackets, none twice (apimachinery `util/errors.NewAggregate`). */
export function aggregate(errors: readonly string[]): string {
  const distinct = [...new Set(errors)];
  return distinct.length === 1 ? distinct[0]! : `[${distinct.join(', ')}]`;
}
