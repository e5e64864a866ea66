/** URLs as Go's net/url.ParseRequestURI reads them, taken apart for CEL's getters. */

export interface Url {
  readonly text: string;
  readonly scheme: string;
  /** With the port, if there is one. */
  readonly host: string;
  readonly hostname: string;
  readonly port: string;
  /** Percent-escaped. */
  readonly path: string;
  readonly query: Readonly<Record<string, readonly string[]>>;
}

/** A string is what is wrong with it. */
export function parseUrl(text: string): Url | string {
  const wrong = (why: string): string => `parse ${JSON.stringify(text)}: ${why}`;
  if (text === '') return wrong('empty url');
  if (/[\x00-\x1f\x7f]/.test(text)) return wrong('net/url: invalid control character in URL');
  const m = /^(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?:\/\/([^/?]*))?([^?]*)(?:\?(.*))?$/.exec(text);
  if (!m) return wrong('invalid URI for request');
  const [, scheme = '', authority, path = '', query = ''] = m;
  if (scheme === '' && !text.startsWith('/')) return wrong('invalid URI for request');
  if (authority === undefined && path !== '' && !path.startsWith('/')) return wrong('invalid URI for request');
  const bare = /%(?![0-9A-Fa-f]{2})(.{0,2})/.exec(path);
  if (bare) return wrong(`invalid URL escape ${JSON.stringify(`%${bare[1]}`)}`);
  const host = (authority ?? '').replace(/^[^@]*@/, '');
  const at = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/.exec(host);
  if (!at) return wrong(`invalid port ${JSON.stringify(host.slice(host.indexOf(':')))} after host`);
  if (at[2] !== undefined && !/^\d*$/.test(at[2])) return wrong(`invalid port ${JSON.stringify(`:${at[2]}`)} after host`);
  const bad = /[ <>"\\^`{|}]/.exec(host);
  if (bad) return wrong(`invalid character ${JSON.stringify(bad[0])} in host name`);
  const values: Record<string, string[]> = {};
  for (const pair of query.split('&')) {
    if (pair === '') continue;
    const [key = '', ...rest] = pair.split('=');
    const name = decoded(key);
    values[name] = [...(values[name] ?? []), decoded(rest.join('='))];
  }
  return {
    text,
    scheme: scheme.toLowerCase(),
    host,
    hostname: (at[1] ?? '').replace(/^\[|\]$/g, ''),
    port: at[2] ?? '',
    path: path.replaceAll(' ', '%20'),
    query: values,
  };
}

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
};
