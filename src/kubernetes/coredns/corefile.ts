/** The Corefile: server blocks, each a zone with plugins (coredns.io/manual/toc/#configuration). Read as far as our plugins need it. */

export interface PluginConfig {
  readonly name: string;
  readonly args: readonly string[];
  readonly options: readonly (readonly string[])[];
}
export interface ServerBlock {
  /** With the final dot; `.` is everything. */
  readonly zones: readonly string[];
  readonly port: number;
  readonly plugins: readonly PluginConfig[];
}

/** What kubeadm v1.33 installs. */
export const KUBEADM_COREFILE = `.:53 {
    errors
    health {
       lameduck 5s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }
    prometheus :9153
    forward . /etc/resolv.conf {
       max_concurrent 1000
    }
    cache 30 {
       disable success cluster.local
       disable denial cluster.local
    }
    loop
    reload
    loadbalance
}
`;

export class CorefileError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'CorefileError';
  }
}

const KNOWN = new Set([
  'errors',
  'health',
  'ready',
  'kubernetes',
  'prometheus',
  'forward',
  'cache',
  'loop',
  'reload',
  'loadbalance',
  'log',
  'hosts',
  'rewrite',
  'template',
  'any',
  'bufsize',
]);

export const fqdn = (name: string): string => (name.endsWith('.') ? name : `${name}.`).toLowerCase();

/** Throws CorefileError with CoreDNS's words, e.g. `Unknown directive 'kubernets'`. */
export function parseCorefile(text: string): ServerBlock[] {
  const lines = text
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .map((line, i) => ({ words: line.split(/\s+/).filter(Boolean), number: i + 1 }))
    .filter(({ words }) => words.length > 0);
  const blocks: ServerBlock[] = [];
  let at = 0;
  while (at < lines.length) {
    const head = lines[at++]!;
    if (head.words.at(-1) !== '{')
      throw new CorefileError(`Corefile:${head.number} - Error during parsing: Unexpected token '${head.words[0]}', expecting '{'`);
    const zones: string[] = [];
    let port = 53;
    for (const key of head.words.slice(0, -1)) {
      const [zone, given] = key.replace(/^dns:\/\//, '').split(':');
      zones.push(fqdn(zone || '.'));
      if (given) port = Number(given);
    }
    const plugins: PluginConfig[] = [];
    for (;;) {
      const line = lines[at++];
      if (!line) throw new CorefileError("Corefile - Error during parsing: Unexpected EOF, expecting '}'");
      if (line.words[0] === '}') break;
      const [name, ...rest] = line.words as [string, ...string[]];
      if (!KNOWN.has(name)) throw new CorefileError(`Corefile:${line.number} - Error during parsing: Unknown directive '${name}'`);
      const options: string[][] = [];
      const opens = rest.at(-1) === '{';
      if (opens) {
        for (let inner = lines[at++]; inner && inner.words[0] !== '}'; inner = lines[at++]) options.push(inner.words);
      }
      plugins.push({ name, args: opens ? rest.slice(0, -1) : rest, options });
    }
    blocks.push({ zones, port, plugins });
  }
  return blocks;
}
