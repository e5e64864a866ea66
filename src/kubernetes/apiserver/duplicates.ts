/**
 * Fields that a JSON text gives twice. A parser keeps the last one and says nothing; upstream's strict decoder tells
 * (sigs.k8s.io/json: `duplicate field "spec.containers[0].name"`).
 */

/** Messages in order of appearance. The text has been parsed already, so it is JSON. */
export function duplicateFields(text: string): readonly string[] {
  const found: string[] = [];
  let at = 0;
  const space = (): void => {
    while (text[at] === ' ' || text[at] === '\n' || text[at] === '\t' || text[at] === '\r') at++;
  };
  const string = (): string => {
    const start = at;
    for (at++; text[at] !== '"'; at++) if (text[at] === '\\') at++;
    at++;
    return JSON.parse(text.slice(start, at)) as string;
  };
  const value = (path: string): void => {
    space();
    const first = text[at];
    if (first === '"') string();
    else if (first === '{') object(path);
    else if (first === '[') list(path);
    else while (at < text.length && !',]} \n\t\r'.includes(text[at]!)) at++;
    space();
  };
  const object = (path: string): void => {
    const seen = new Set<string>();
    at++;
    space();
    while (text[at] !== '}') {
      const key = string();
      const here = path === '' ? key : `${path}.${key}`;
      if (seen.has(key)) found.push(`duplicate field "${here}"`);
      seen.add(key);
      space();
      at++;
      value(here);
      if (text[at] === ',') at++;
      space();
    }
    at++;
  };
  const list = (path: string): void => {
    at++;
    space();
    for (let i = 0; text[at] !== ']'; i++) {
      value(`${path}[${i}]`);
      if (text[at] === ',') at++;
      space();
    }
    at++;
  };
  value('');
  return [...new Set(found)];
}
