/**
 * `-o custom-columns=NAME:.metadata.name,IMAGE:.spec.containers[*].image` (kubectl pkg/cmd/get/customcolumn.go).
 */
import { escapeTerminal, goPrint } from '../gostring.ts';
import { compileJsonPath, type JsonPath, relaxedPath } from '../jsonpath.ts';
import { alignTabs, TABLE_TABS } from './tabwriter.ts';

interface Column {
  readonly header: string;
  readonly path: JsonPath;
}

/** A table of the items. Several values in one cell are joined by commas, none is `<none>`. Throws Error in kubectl's words for a malformed spec. Here simplified: a value of several lines does not widen the columns of later rows. */
export function printCustomColumns(spec: string, items: readonly unknown[], noHeaders: boolean): string {
  const columns = readSpec(spec);
  const lines = items.map((item) => columns.map(({ path }) => cell(path, item)).join('\t'));
  if (!noHeaders) lines.unshift(columns.map(({ header }) => header).join('\t'));
  return lines.length === 0 ? '' : alignTabs(`${lines.join('\n')}\n`, TABLE_TABS);
}

function readSpec(spec: string): readonly Column[] {
  if (spec === '') throw new Error('custom-columns format specified but no custom columns given');
  return spec
    .split(',')
    .map((part) => {
      const colon = part.indexOf(':');
      if (colon < 0) throw new Error(`unexpected custom-columns spec: ${part}, expected <header>:<json-path-expr>`);
      return [part.slice(0, colon), relaxedPath(part.slice(colon + 1))] as const;
    })
    .map(([header, path]) => ({ header, path: compileJsonPath(path) }));
}

function cell(path: JsonPath, item: unknown): string {
  const groups = path.findGroups(item);
  const none = (groups[0]?.length ?? 0) === 0 ? ['<none>'] : [];
  return [...none, ...groups.flat().map((value) => escapeTerminal(goPrint(value)))].join(',');
}
