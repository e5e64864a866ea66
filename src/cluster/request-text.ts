/** An API request as HTTP carries it, made into the value the handlers take. */
import type { TextRequest } from '../hosts/protocol.ts';
import type { ApiRequest } from '../kubernetes/api/request.ts';

/** Parses the URL (path and query, percent-decoded); a body stays text, its content-type says what it is. Malformed escapes are taken literally. */
export function parseRequest(text: TextRequest): ApiRequest {
  const [path = '/', search = ''] = splitOnce(text.url, '?');
  const query: Record<string, string | string[]> = {};
  for (const pair of search.split('&')) {
    if (pair === '') continue;
    const [rawName = '', rawValue = ''] = splitOnce(pair, '=');
    const name = decode(rawName.replace(/\+/g, ' '));
    const value = decode(rawValue.replace(/\+/g, ' '));
    const before = query[name];
    query[name] = before === undefined ? value : Array.isArray(before) ? [...before, value] : [before, value];
  }
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(text.headers)) headers[name.toLowerCase()] = value;
  return {
    method: text.method.toUpperCase() as ApiRequest['method'],
    path: decode(path),
    query,
    headers,
    ...(text.body !== undefined && text.body !== '' ? { body: text.body } : {}),
  };
}

const splitOnce = (text: string, mark: string): [string, string] => {
  const at = text.indexOf(mark);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
};

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};
