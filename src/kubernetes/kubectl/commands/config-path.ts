/** `clusters.one.server`: one value of a kubeconfig, named by its path (kubectl pkg/cmd/config/navigation_step_parser.go). */
import type { Json } from '../../api/json.ts';
import { KubectlError } from '../errors.ts';
import { encodeBase64, type KubeConfig } from '../kubeconfig.ts';
import type { JsonObject } from '../session.ts';

const KEYS = { clusters: 'cluster', contexts: 'context', users: 'user' } as const;
type Lists = keyof typeof KEYS;
/** What values of an entry are: texts, bytes in base64, yes or no. */
const FIELDS: Readonly<Record<Lists, Readonly<Record<string, 'text' | 'bytes' | 'bool'>>>> = {
  clusters: {
    server: 'text',
    'tls-server-name': 'text',
    'insecure-skip-tls-verify': 'bool',
    'certificate-authority': 'text',
    'certificate-authority-data': 'bytes',
    'proxy-url': 'text',
    'disable-compression': 'bool',
  },
  contexts: { cluster: 'text', user: 'text', namespace: 'text' },
  users: {
    'client-certificate': 'text',
    'client-certificate-data': 'bytes',
    'client-key': 'text',
    'client-key-data': 'bytes',
    token: 'text',
    tokenFile: 'text',
    as: 'text',
    'as-uid': 'text',
    username: 'text',
    password: 'text',
  },
};
const isList = (word: string): word is Lists => Object.hasOwn(KEYS, word);

interface Place {
  readonly list: Lists;
  readonly name: string;
  readonly field: string;
}

/** Names may hold dots: the longest that is there is meant; a new one ends where a known field begins. */
function placeOf(config: KubeConfig, list: Lists, rest: readonly string[]): Place {
  const path = rest.join('.');
  const known = [...config[list]].sort((a, b) => b.name.length - a.name.length).find(({ name }) => path === name || path.startsWith(`${name}.`));
  if (known) return { list, name: known.name, field: path.slice(known.name.length + 1) };
  const last = rest.at(-1) ?? '';
  return Object.hasOwn(FIELDS[list], last) ? { list, name: rest.slice(0, -1).join('.'), field: last } : { list, name: path, field: '' };
}

/** Throws KubectlError for what there is not. */
export function setProperty(config: KubeConfig, property: string, value: string, raw: boolean): KubeConfig {
  const [head = '', ...rest] = property.split('.');
  if (head === 'current-context' && rest.length === 0) return { ...config, currentContext: value };
  if (!isList(head)) throw new KubectlError(`unable to parse ${property} after [] at api.Config`);
  const { list, name, field } = placeOf(config, head, rest);
  const type = FIELDS[list][field];
  // What stands there is a map of Go's, printed with the addresses of what it holds.
  if (type === undefined)
    throw new KubectlError(
      `can't set a map to a value: map[${config[list].map((entry, i) => `${entry.name}:0xc000${(0x1a2b00 + i * 64).toString(16)}`).join(' ')}]`,
    );
  if (type === 'bool' && !/^(1|t|T|true|TRUE|True|0|f|F|false|FALSE|False)$/.test(value))
    throw new KubectlError(`strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`);
  const written: Json = type === 'bool' ? /^[1tT]/.test(value) : type === 'bytes' && !raw ? value : type === 'bytes' ? encodeBase64(value) : value;
  const key = KEYS[list];
  const entries = config[list] as readonly (JsonObject & { readonly name: string })[];
  const old = entries.find((entry) => entry.name === name);
  const fresh = list === 'contexts' ? { cluster: '', user: '' } : list === 'clusters' ? { server: '' } : {};
  const entry = { name, [key]: { ...fresh, ...(old?.[key] as JsonObject | undefined), [field]: written } };
  return { ...config, [list]: old ? entries.map((one) => (one === old ? entry : one)) : [...entries, entry] } as unknown as KubeConfig;
}

/** Without the value the path leads to; throws KubectlError for a path that leads nowhere. */
export function unsetProperty(config: KubeConfig, property: string): KubeConfig {
  const [head = '', ...rest] = property.split('.');
  if (head === 'current-context') return { ...config, currentContext: '' };
  if (head === 'preferences') return config;
  if (!isList(head)) throw new KubectlError(`unable to parse ${property} after [] at api.Config`);
  if (rest.length === 0) return { ...config, [head]: [] };
  const { list, name, field } = placeOf(config, head, rest);
  const key = KEYS[list];
  const entries = config[list] as readonly (JsonObject & { readonly name: string })[];
  const entry = entries.find((one) => one.name === name);
  if (!entry) return config;
  if (field === '') return { ...config, [list]: entries.filter((one) => one !== entry) } as unknown as KubeConfig;
  const { [field]: _, ...left } = entry[key] as JsonObject;
  return { ...config, [list]: entries.map((one) => (one === entry ? { ...entry, [key]: left } : one)) } as unknown as KubeConfig;
}
