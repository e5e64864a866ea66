import type { IncomingMessage } from 'node:http';

/** A request's headers as the world takes them: names in lower case, a repeated one joined as HTTP allows. */
export function headersOf(incoming: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers)) if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  return headers;
}
