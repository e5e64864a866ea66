/**
 * Where in a YAML text a field stands: from the names an API server gives in its answers
 * (`spec.template.spec.containers[0].image`) to a line of what the person wrote.
 */
import { EVENT_ID, type Event, getScalarValue, parseEvents } from 'js-yaml';

type Step = string | number;

/**
 * A field path as `field.Path` prints it: names joined by dots, `[0]` an item, `[key]` or `["key"]` a key with dots in it.
 */
export function parseField(field: string): Step[] {
  const steps: Step[] = [];
  for (const [, name, bracket] of field.matchAll(/([^.[\]]+)|\[([^\]]*)\]/g)) {
    if (name !== undefined) steps.push(name);
    else if (/^\d+$/.test(bracket!)) steps.push(Number(bracket));
    else steps.push(bracket!.replace(/^["']|["']$/g, ''));
  }
  return steps;
}

/**
 * Fields named in the text of an error that has no causes: strict decoding (`unknown field "spec.replica"`, `duplicate
 * field "a"`) and Go's decoder (`cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32`).
 */
export function fieldsInMessage(message: string): string[] {
  const strict = [...message.matchAll(/(?:unknown|duplicate) field "([^"]+)"/g)].map((match) => match[1]!);
  const decoding = [...message.matchAll(/Go struct field \w+\.([\w.[\]]+) of type/g)].map((match) => match[1]!);
  return [...strict, ...decoding];
}

/** The line (from 1, within `text`) of the deepest part of `field` that is written there: for a field that is missing, its parent's. */
export function lineOf(text: string, field: string): number {
  let events: readonly Event[];
  try {
    events = parseEvents(text, {});
  } catch {
    return 1;
  }
  return lineAt(text, offsetOf(text, events, parseField(field)));
}

const lineAt = (text: string, offset: number): number => {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line++;
  return line;
};

function offsetOf(text: string, events: readonly Event[], path: readonly Step[]): number {
  // The first event opens the document, the second is its root.
  let at = 1;
  let found = startOf(events[at]) ?? 0;
  for (let depth = 0; depth < path.length; depth++) {
    const step = path[depth]!;
    const node = events[at];
    if (node?.type === EVENT_ID.SEQUENCE && typeof step === 'number') {
      let child = at + 1;
      for (let i = 0; i < step && events[child]?.type !== EVENT_ID.POP && child < events.length; i++) child = after(events, child);
      if (child >= events.length || events[child]?.type === EVENT_ID.POP) return found;
      at = child;
      found = startOf(events[child]) ?? found;
      continue;
    }
    if (node?.type !== EVENT_ID.MAPPING) return found;
    let key = at + 1;
    let hit: { readonly key: number; readonly value: number; readonly taken: number } | undefined;
    while (key < events.length && events[key]!.type !== EVENT_ID.POP) {
      const event = events[key]!;
      const value = after(events, key);
      if (event.type === EVENT_ID.SCALAR) {
        const name = getScalarValue(text, event);
        const taken = matches(name, path, depth);
        // The later of two equal keys is the one that counts, and the one a duplicate error means.
        if (taken > 0) hit = { key, value, taken };
      }
      key = after(events, value);
    }
    if (!hit) return found;
    found = startOf(events[hit.key]) ?? found;
    at = hit.value;
    depth += hit.taken - 1;
  }
  return found;
}

/** How many steps of the path a key stands for: a label `app.kubernetes.io/name` may come as three, since its dots look like the path's. */
function matches(name: string, path: readonly Step[], depth: number): number {
  if (String(path[depth]) === name) return 1;
  if (!name.includes('.')) return 0;
  const parts = name.split('.');
  return parts.every((part, i) => String(path[depth + i]) === part) ? parts.length : 0;
}

function startOf(event: Event | undefined): number | undefined {
  if (event === undefined) return undefined;
  if (event.type === EVENT_ID.SCALAR) return event.valueStart;
  if (event.type === EVENT_ID.MAPPING || event.type === EVENT_ID.SEQUENCE) return event.start;
  return event.type === EVENT_ID.ALIAS ? event.anchorStart : undefined;
}

/** The index behind the node that begins at `at`. */
function after(events: readonly Event[], at: number): number {
  let depth = 0;
  for (let i = at; i < events.length; i++) {
    const type = events[i]!.type;
    if (type === EVENT_ID.MAPPING || type === EVENT_ID.SEQUENCE || type === EVENT_ID.DOCUMENT) depth++;
    else if (type === EVENT_ID.POP) depth--;
    if (depth <= 0) return i + 1;
  }
  return events.length;
}
