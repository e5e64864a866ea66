/**
 * An answer as text of the form its asker wants: YAML for who accepts that first, JSON over several lines for `pretty`
 * and for what people read answers with (apiserver `pkg/endpoints/handlers/responsewriters`, `negotiation.isPrettyPrint`).
 * All others get the value, of which whoever holds the wire makes a line of JSON.
 */
import type { ApiRequest, ApiResponse } from '../api/request.ts';
import { dump } from '../api/yaml-dump.ts';

/** `curl`, `wget` and browsers get what people can read. */
const READERS = /^(curl|Wget|Mozilla\/5\.0)/;

export function dressed(request: ApiRequest, response: ApiResponse): ApiResponse {
  const { body, stream, headers } = response;
  if (stream || typeof body !== 'object' || body === null || !(headers['content-type'] ?? 'application/json').startsWith('application/json')) return response;
  if (wantsYaml(request.headers['accept'] ?? '')) return { ...response, headers: { ...headers, 'content-type': 'application/yaml' }, body: dump(body) };
  const pretty = String(request.query['pretty'] ?? '');
  const wanted = pretty === '' ? READERS.test(request.headers['user-agent'] ?? '') : /^(1|t|T|true|TRUE|True)$/.test(pretty);
  return wanted ? { ...response, body: JSON.stringify(body, null, 2) } : response;
}

/** Whether YAML is the first form of the list that is served. */
function wantsYaml(accept: string): boolean {
  if (!accept.includes('yaml')) return false;
  for (const clause of accept.split(',')) {
    const [type = ''] = clause.split(';');
    if (type.trim() === 'application/yaml') return true;
    if (['application/json', '*/*', 'application/*'].includes(type.trim())) return false;
  }
  return false;
}
