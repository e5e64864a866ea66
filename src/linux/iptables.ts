/**
 * netfilter's tables and chains as data, and the walk of a packet through them.
 *
 * The walk is pure: it takes a packet and what is known about it, and returns the verdict with the
 * rules that matched, in order; who owns the packet acts on it. A chain with many rules for exact
 * destinations (KUBE-SERVICES) is indexed by destination, so that a thousand Services cost a packet
 * no more than ten. Here simplified: the linear cost a real kernel pays for them is not charged in time.
 */
import type { Address } from './address.ts';
import { IptablesError, matches, parseRule, type Rule, type Subject } from './iptables-rule.ts';

export type TableName = 'raw' | 'mangle' | 'nat' | 'filter';
export type Hook = 'PREROUTING' | 'INPUT' | 'FORWARD' | 'OUTPUT' | 'POSTROUTING';

/** In the order netfilter's priorities give at each hook: raw −300, mangle −150, (dst)nat −100, filter 0. */
export const TABLES: readonly TableName[] = ['raw', 'mangle', 'nat', 'filter'];
const HOOKS: Readonly<Record<TableName, readonly Hook[]>> = {
  raw: ['PREROUTING', 'OUTPUT'],
  mangle: ['PREROUTING', 'INPUT', 'FORWARD', 'OUTPUT', 'POSTROUTING'],
  nat: ['PREROUTING', 'INPUT', 'OUTPUT', 'POSTROUTING'],
  filter: ['INPUT', 'FORWARD', 'OUTPUT'],
};
/** Chains shorter than this are simply walked. */
const INDEX_FROM = 16;

export interface MatchedRule {
  readonly table: TableName;
  readonly chain: string;
  readonly rule: Rule;
}

export type Verdict =
  | { readonly kind: 'ACCEPT' | 'DROP' }
  | { readonly kind: 'REJECT'; readonly with: string }
  | { readonly kind: 'DNAT'; readonly to: Address; readonly port: number | undefined }
  | { readonly kind: 'SNAT'; readonly to: Address }
  | { readonly kind: 'MASQUERADE'; readonly randomFully: boolean };

export interface WalkResult {
  readonly verdict: Verdict;
  readonly mark: number;
  /** Every rule that matched, jumps included; the last one decided, or none did and the policy spoke. */
  readonly matched: readonly MatchedRule[];
}

export class Chain {
  private list: readonly Rule[] = [];
  private index: { readonly exact: ReadonlyMap<Address, readonly Rule[]>; readonly others: readonly Rule[] } | undefined;

  constructor(
    readonly name: string,
    /** Built-in chains only. */
    readonly policy: 'ACCEPT' | 'DROP' | undefined,
  ) {}

  get rules(): readonly Rule[] {
    return this.list;
  }
  set rules(rules: readonly Rule[]) {
    this.list = rules;
    this.index = undefined;
  }

  /** The rules that can match a packet to this destination, in order. */
  candidates(destination: Address): readonly Rule[] {
    if (this.list.length < INDEX_FROM) return this.list;
    this.index ??= buildIndex(this.list);
    return this.index.exact.get(destination) ?? this.index.others;
  }
}

/** Rules without an exact destination belong to every bucket, at their place. */
function buildIndex(rules: readonly Rule[]): { exact: Map<Address, Rule[]>; others: Rule[] } {
  const exact = new Map<Address, Rule[]>();
  const others: Rule[] = [];
  for (const rule of rules) {
    const d = rule.destination;
    if (d && !d.not && d.value.length === 32) {
      const bucket = exact.get(d.value.network);
      if (bucket) bucket.push(rule);
      else exact.set(d.value.network, [...others, rule]);
    } else {
      others.push(rule);
      for (const bucket of exact.values()) bucket.push(rule);
    }
  }
  return { exact, others };
}

export class Table {
  readonly chains = new Map<string, Chain>();
  constructor(readonly name: TableName) {
    for (const hook of HOOKS[name]) this.chains.set(hook, new Chain(hook, 'ACCEPT'));
  }

  /** `iptables -N` if it is not there. */
  ensureChain(name: string): Chain {
    let chain = this.chains.get(name);
    if (!chain) {
      chain = new Chain(name, undefined);
      this.chains.set(name, chain);
    }
    return chain;
  }

  setPolicy(hook: Hook, policy: 'ACCEPT' | 'DROP'): void {
    const old = this.chains.get(hook);
    if (!old?.policy) throw new IptablesError('Bad built-in chain name');
    const chain = new Chain(hook, policy);
    chain.rules = old.rules;
    this.chains.set(hook, chain);
  }
}

export class Iptables {
  readonly tables: Readonly<Record<TableName, Table>> = {
    raw: new Table('raw'),
    mangle: new Table('mangle'),
    nat: new Table('nat'),
    filter: new Table('filter'),
  };
  /** False until the first rule: a namespace without rules costs its packets nothing, and tracks no connections (as the kernel registers its hooks only on use). */
  active = false;
  /** Counts changes, for whoever draws them. */
  generation = 0;

  private changed(): void {
    this.active = true;
    this.generation++;
  }

  /** Replaces all rules of a chain, made if it is not there (iptables-restore --noflush). */
  setChain(table: TableName, chain: string, rules: readonly Rule[]): void {
    this.tables[table].ensureChain(chain).rules = rules;
    this.changed();
  }

  /** Flushes and deletes; nothing if it is not there. */
  removeChain(table: TableName, chain: string): void {
    if (this.tables[table].chains.delete(chain)) this.changed();
  }

  append(table: TableName, chain: string, text: string): void {
    const to = this.tables[table].ensureChain(chain);
    to.rules = [...to.rules, parseRule(text)];
    this.changed();
  }

  /** Puts the rule first unless the chain has it anywhere (kube-proxy's EnsureRule with Prepend). */
  ensureFirst(table: TableName, chain: string, text: string): void {
    const to = this.tables[table].ensureChain(chain);
    const rule = parseRule(text);
    if (to.rules.some((r) => r.text === rule.text)) return;
    to.rules = [rule, ...to.rules];
    this.changed();
  }

  /** Deletes the first rule that reads the same; throws as `iptables -D` does when there is none. */
  remove(table: TableName, chain: string, text: string): void {
    const from = this.tables[table].chains.get(chain);
    const rule = parseRule(text);
    const at = from ? from.rules.findIndex((r) => r.text === rule.text) : -1;
    if (!from || at < 0) throw new IptablesError('Bad rule (does a matching rule exist in that chain?).');
    from.rules = from.rules.filter((_, i) => i !== at);
    this.changed();
  }

  /** The text of `iptables-save`, tables in the order the tool prints them. Here simplified: counters are not kept and print as zero. */
  save(only?: TableName): string {
    const out: string[] = [];
    for (const name of only ? [only] : (['mangle', 'raw', 'filter', 'nat'] as const)) {
      const table = this.tables[name];
      const chains = [...table.chains.values()];
      const own = chains.filter((c) => !c.policy).sort((a, b) => (a.name < b.name ? -1 : 1));
      const all = [...chains.filter((c) => c.policy), ...own];
      if (!only && !this.active) continue;
      out.push(`*${name}`);
      for (const chain of all) out.push(`:${chain.name} ${chain.policy ?? '-'} [0:0]`);
      for (const chain of all) for (const rule of chain.rules) out.push(`-A ${chain.name}${rule.text ? ` ${rule.text}` : ''}`);
      out.push('COMMIT');
    }
    return out.length === 0 ? '' : `${out.join('\n')}\n`;
  }

  /** Reads the text of `iptables-restore`. Without noflush a table named in it is emptied first; with it, only the chains declared are. */
  restore(text: string, options: { readonly noflush?: boolean } = {}): void {
    let table: Table | undefined;
    const pending = new Map<Chain, Rule[]>();
    const commit = (): void => {
      for (const [chain, rules] of pending) chain.rules = rules;
      pending.clear();
      table = undefined;
    };
    for (const raw of text.split('\n')) {
      const line = raw.trim();
      if (line === '' || line.startsWith('#')) continue;
      if (line.startsWith('*')) {
        const name = line.slice(1) as TableName;
        table = this.tables[name];
        if (!table) throw new IptablesError(`iptables-restore: unable to initialize table '${name}'`);
        if (!options.noflush) {
          for (const chain of [...table.chains.values()]) {
            if (chain.policy) chain.rules = [];
            else table.chains.delete(chain.name);
          }
        }
      } else if (line === 'COMMIT') commit();
      else if (!table) throw new IptablesError('iptables-restore: no table specified');
      else if (line.startsWith(':')) {
        const [name, policy] = line.slice(1).split(' ');
        if (policy === 'ACCEPT' || policy === 'DROP') table.setPolicy(name as Hook, policy);
        pending.set(table.ensureChain(name!), []);
      } else if (line.startsWith('-A ')) {
        const [, name, rest] = /^-A (\S+) ?(.*)$/.exec(line)!;
        const chain = table.chains.get(name!);
        if (!chain) throw new IptablesError('iptables-restore: No chain/target/match by that name');
        const rules = pending.get(chain) ?? [...chain.rules];
        rules.push(parseRule(rest!));
        pending.set(chain, rules);
      } else if (line.startsWith('-X ')) table.chains.delete(line.slice(3));
      else throw new IptablesError(`iptables-restore: unknown command ${line}`);
    }
    this.changed();
  }

  /** Whether a table has anything to say at a hook: a rule, or a policy other than ACCEPT. */
  speaks(name: TableName, hook: Hook): boolean {
    const chain = this.tables[name].chains.get(hook);
    return chain !== undefined && (chain.rules.length > 0 || chain.policy !== 'ACCEPT');
  }

  /** A packet's way through one table at one hook. `unseen`: the rules that matched are not listed. */
  walk(name: TableName, hook: Hook, subject: Subject, unseen = false): WalkResult {
    const table = this.tables[name];
    const builtin = table.chains.get(hook);
    if (!builtin || !this.speaks(name, hook)) return { verdict: ACCEPT, mark: subject.mark, matched: NONE };
    const matched: MatchedRule[] | undefined = unseen ? undefined : [];
    const s = { ...subject };
    const verdict = walkChain(table, builtin, s, matched, 0) ?? (builtin.policy === 'ACCEPT' ? ACCEPT : DROP);
    return { verdict, mark: s.mark, matched: matched ?? NONE };
  }
}

const ACCEPT: Verdict = { kind: 'ACCEPT' };
const DROP: Verdict = { kind: 'DROP' };
const NONE: readonly MatchedRule[] = [];

/** Undefined: the end of the chain, or RETURN. */
function walkChain(table: Table, chain: Chain, s: Subject & { mark: number }, matched: MatchedRule[] | undefined, depth: number): Verdict | undefined {
  if (depth > 64) return { kind: 'DROP' };
  for (const rule of chain.candidates(s.packet.destination)) {
    if (!matches(rule, s)) continue;
    matched?.push({ table: table.name, chain: chain.name, rule });
    const t = rule.target;
    if (!t) continue;
    switch (t.kind) {
      case 'RETURN':
        return undefined;
      case 'MARK':
        s.mark = ((s.mark & ~t.mask) ^ t.value) >>> 0;
        break;
      case 'jump': {
        const next = table.chains.get(t.chain);
        const verdict = next && walkChain(table, next, s, matched, depth + 1);
        if (verdict) return verdict;
        break;
      }
      case 'ACCEPT':
      case 'DROP':
        return t as Verdict;
      default:
        return t;
    }
  }
  return undefined;
}
