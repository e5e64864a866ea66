/** kubectl auth: can-i and whoami (kubectl pkg/cmd/auth). */
import type { Json } from '../../api/json.ts';
import type { PolicyRule } from '../../api/types.gen.ts';
import { ExitWith, KubectlError } from '../errors.ts';
import { bool, PRINT_FLAGS, text } from '../flags.ts';
import { goPrint } from '../gostring.ts';
import { objectPrinter } from '../printers/objects.ts';
import { alignTabs, TABLE_TABS } from '../printers/tabwriter.ts';
import { asTyped } from '../printers/typed.ts';
import { isObject, type JsonObject, type ObjectLike, type Session } from '../session.ts';
import { reconcile } from './auth-reconcile.ts';
import type { Command } from './command.ts';

const RESOURCE_VERBS = [
  'get',
  'list',
  'watch',
  'create',
  'update',
  'patch',
  'delete',
  'deletecollection',
  'use',
  'bind',
  'escalate',
  'impersonate',
  '*',
  'approve',
  'sign',
  'attest',
];
const URL_VERBS = ['get', 'put', 'post', 'head', 'options', 'delete', 'patch', '*'];
const TWO_ARGUMENTS = "you must specify two arguments: verb resource or verb resource/resourceName.\nSee 'kubectl auth can-i -h' for help and examples.";

const canI: Command = {
  summary: 'Check whether an action is allowed',
  usage: 'kubectl auth can-i VERB [TYPE | TYPE/NAME | NONRESOURCEURL] [options]',
  flags: { 'all-namespaces': bool('A'), quiet: bool('q'), subresource: text(), list: bool(), 'no-headers': bool() },
  run: async (session, args) => {
    const { flags } = session;
    if (flags.bool('list')) {
      if (args.length > 0) throw new KubectlError('list option must be specified with no arguments');
      return listRules(session);
    }
    const [verb, what] = args;
    if (args.length !== 2 || verb === undefined || what === undefined) throw new KubectlError(TWO_ARGUMENTS);
    const spec = await (what.startsWith('/') ? urlAttributes(session, verb, what) : resourceAttributes(session, verb, what));
    const answer = await session.request('POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', {
      body: { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', metadata: {}, spec },
    });
    const status = isObject(answer) && isObject(answer['status']) ? answer['status'] : {};
    const allowed = status['allowed'] === true;
    if (!flags.bool('quiet')) {
      const reasons = [status['reason'], status['evaluationError']].filter((one) => typeof one === 'string' && one !== '');
      session.out(allowed ? 'yes\n' : `no${reasons.map((one) => ` - ${String(one)}`).join('')}\n`);
    }
    if (!allowed) throw new ExitWith(1);
  },
};

const warn = (session: Session, message: string): void => session.err(`Warning: ${message}\n\n`);

async function urlAttributes(session: Session, verb: string, path: string): Promise<Json> {
  if (session.flags.text('subresource') !== '') throw new KubectlError('--subresource can not be used with NonResourceURL');
  if (!URL_VERBS.includes(verb)) warn(session, `verb '${verb}' is not a known verb`);
  return { nonResourceAttributes: { verb, path } };
}

async function resourceAttributes(session: Session, verb: string, what: string): Promise<Json> {
  const { flags } = session;
  const [type = '', name = ''] = what.split('/', 2);
  let [group, resource] = ['', type];
  if (type !== '*') {
    const info = await session.discovery.find(type);
    if (info) {
      group = info.group;
      resource = info.resource;
      if (!flags.bool('all-namespaces') && !info.namespaced)
        warn(session, `resource '${resource}' is not namespace scoped${group === '' ? '' : ` in group '${group}'`}`);
    } else {
      const [first = '', ...others] = type.split('.');
      resource = first;
      group = others.join('.');
      warn(session, `the server doesn't have a resource type '${resource}'${group === '' ? '' : ` in group '${group}'`}`);
    }
  }
  if (!RESOURCE_VERBS.includes(verb)) warn(session, `verb '${verb}' is not a known verb`);
  const subresource = flags.text('subresource');
  return {
    resourceAttributes: {
      ...(flags.bool('all-namespaces') ? {} : { namespace: session.namespace }),
      verb,
      ...(group === '' ? {} : { group }),
      resource,
      ...(subresource === '' ? {} : { subresource }),
      ...(name === '' ? {} : { name }),
    },
  };
}

async function listRules(session: Session): Promise<void> {
  const answer = await session.request('POST', '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews', {
    body: { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectRulesReview', metadata: {}, spec: { namespace: session.namespace } },
  });
  const status = isObject(answer) && isObject(answer['status']) ? answer['status'] : {};
  if (status['incomplete'] === true) session.err(`warning: the list may be incomplete: ${String(status['evaluationError'] ?? '')}\n`);
  const rules = [
    ...((status['resourceRules'] ?? []) as unknown as readonly PolicyRule[]),
    ...((status['nonResourceRules'] ?? []) as unknown as readonly PolicyRule[]),
  ];
  const rows = compact(rules.flatMap(broken)).map((rule) => ({ rule, key: ruleText(rule) }));
  rows.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  const lines = rows.map(({ rule }) => [resourceText(rule), goPrint(rule.nonResourceURLs ?? []), goPrint(rule.resourceNames ?? []), goPrint(rule.verbs)]);
  const all = session.flags.bool('no-headers') ? lines : [['Resources', 'Non-Resource URLs', 'Resource Names', 'Verbs'], ...lines];
  session.out(alignTabs(all.map((line) => `${line.join('\t')}\n`).join(''), TABLE_TABS));
}

/** One rule for each group, resource and name, or URL, and verb (component-helpers rbac BreakdownRule). */
export function broken(rule: PolicyRule): PolicyRule[] {
  const out: PolicyRule[] = [];
  for (const group of rule.apiGroups ?? [])
    for (const resource of rule.resources ?? [])
      for (const verb of rule.verbs)
        for (const name of rule.resourceNames?.length ? rule.resourceNames : [undefined])
          out.push({ apiGroups: [group], resources: [resource], verbs: [verb], ...(name === undefined ? {} : { resourceNames: [name] }) });
  for (const url of rule.nonResourceURLs ?? []) for (const verb of rule.verbs) out.push({ nonResourceURLs: [url], verbs: [verb] });
  return out;
}

/** Rules about the same resource become one with all verbs; those about URLs stay. */
function compact(rules: readonly PolicyRule[]): readonly PolicyRule[] {
  const simple = new Map<string, PolicyRule>();
  const others: PolicyRule[] = [];
  for (const rule of rules) {
    if (rule.nonResourceURLs?.length) {
      others.push(rule);
      continue;
    }
    const key = `${rule.apiGroups?.[0]}/${rule.resources?.[0]}/${rule.resourceNames?.[0] ?? ''}`;
    const known = simple.get(key);
    if (!known) simple.set(key, rule);
    else if (!rule.verbs.every((verb) => known.verbs.includes(verb))) simple.set(key, { ...known, verbs: [...known.verbs, ...rule.verbs] });
  }
  return [...others, ...simple.values()];
}

/** PolicyRule.String(), what the rows are sorted by. */
const ruleText = (rule: PolicyRule): string =>
  `&PolicyRule{Verbs:${goPrint(rule.verbs)},APIGroups:${goPrint(rule.apiGroups ?? [])},Resources:${goPrint(rule.resources ?? [])},ResourceNames:${goPrint(rule.resourceNames ?? [])},NonResourceURLs:${goPrint(rule.nonResourceURLs ?? [])},}`;

/** `deployments.apps/scale`: describe.CombineResourceGroup. */
function resourceText({ resources, apiGroups }: PolicyRule): string {
  if (!resources?.length) return '';
  const [first = '', ...rest] = resources[0]!.split('/');
  const group = apiGroups?.[0] ? `.${apiGroups[0]}` : '';
  return `${first}${group}${rest.length > 0 ? `/${rest.join('/')}` : ''}`;
}

const whoami: Command = {
  summary: 'Experimental: Check self subject attributes',
  usage: 'kubectl auth whoami [options]',
  flags: PRINT_FLAGS,
  run: async (session) => {
    const printer = objectPrinter(session);
    const answer = await session.request('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {
      body: { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview', metadata: {} },
    });
    const review: JsonObject = isObject(answer) ? answer : {};
    if (printer) {
      session.out(printer(asTyped(review as unknown as ObjectLike), true));
      return;
    }
    const status = isObject(review['status']) ? review['status'] : {};
    const user = isObject(status['userInfo']) ? status['userInfo'] : {};
    const rows: [string, string][] = [['ATTRIBUTE', 'VALUE']];
    if (user['username']) rows.push(['Username', String(user['username'])]);
    if (user['uid']) rows.push(['UID', String(user['uid'])]);
    if (Array.isArray(user['groups']) && user['groups'].length > 0) rows.push(['Groups', goPrint(user['groups'])]);
    const extra = isObject(user['extra']) ? user['extra'] : {};
    for (const key of Object.keys(extra).sort()) rows.push([`Extra: ${key}`, goPrint(extra[key])]);
    session.out(alignTabs(rows.map((row) => `${row.join('\t')}\n`).join(''), TABLE_TABS));
  },
};

export const auth: Command = {
  summary: 'Inspect authorization',
  usage: 'kubectl auth [flags] [options]',
  subcommands: { 'can-i': canI, reconcile, whoami },
};
