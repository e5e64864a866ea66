/** Peer URLs as clientv3 takes them (etcd client/pkg/types/urls.go, NewURLs). */

/** What is wrong with one of them, in Go's words; undefined: nothing. */
export function urlsFault(urls: readonly string[]): string | undefined {
  if (urls.length === 0) return 'no valid URLs given';
  for (const given of urls) {
    const url = given.trim();
    const [, scheme = '', rest = ''] = /^([a-zA-Z][a-zA-Z0-9+.-]*):(.*)$/s.exec(url) ?? ['', '', url];
    if (!['http', 'https', 'unix', 'unixs'].includes(scheme)) {
      if (/^[^/]*:/.test(url) && scheme === '') return `parse ${JSON.stringify(url)}: first path segment in URL cannot contain colon`;
      return `URL scheme must be http, https, unix, or unixs: ${url}`;
    }
    const [, host = '', path = ''] = /^\/\/([^/?#]*)(.*)$/s.exec(rest) ?? [];
    if (scheme.startsWith('http') && !/^(?:\[[^\]]*\]|[^:[\]]*):[^:]*$/.test(host)) return `URL address does not have the form "host:port": ${url}`;
    if (path !== '') return `URL must not contain a path: ${url}`;
  }
  return undefined;
}
