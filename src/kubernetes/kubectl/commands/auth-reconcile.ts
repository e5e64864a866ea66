/** kubectl auth reconcile: roles and bindings made to allow at least what files say (kubectl pkg/cmd/auth/reconcile.go, component-helpers auth/rbac/reconciliation). */
import type { Json } from '../../api/json.ts';
import type { PolicyRule } from '../../api/types.gen.ts';
import { forEach, getObject, loadFiles, locate, type Target } from '../builder.ts';
import { pathOf } from '../discovery.ts';
import { isNotFound, KubectlError } from '../errors.ts';
import { bool, DRY_RUN_FLAGS, FILE_FLAGS, PRINT_FLAGS } from '../flags.ts';
import { goPrint } from '../gostring.ts';
import { dryRunOf, ResultPrinter } from '../printers/result.ts';
import type { ObjectLike, Session } from '../session.ts';
import { broken } from './auth.ts';
import type { Command } from './command.ts';

interface Subject {
  readonly kind: string;
  readonly name: string;
  readonly apiGroup?: string;
  readonly namespace?: string;
}
interface Outcome {
  readonly object: ObjectLike;
  readonly operation: 'none' | 'create' | 'update' | 'recreate';
  readonly missing: readonly string[];
  readonly extra: readonly string[];
}

const KINDS = ['Role', 'ClusterRole', 'RoleBinding', 'ClusterRoleBinding'];

export const reconcile: Command = {
  summary: 'Reconciles rules for RBAC role, role binding, cluster role, and cluster role binding objects',
  usage: 'kubectl auth reconcile -f FILENAME [options]',
  flags: { ...FILE_FLAGS, ...PRINT_FLAGS, ...DRY_RUN_FLAGS, 'remove-extra-permissions': bool(), 'remove-extra-subjects': bool() },
  run: async (session, args) => {
    if (args.length > 0) throw new KubectlError('no arguments are allowed');
    const dryRun = dryRunOf(session);
    const printer = new ResultPrinter(session, dryRun);
    await forEach(await loadFiles(session), async (loaded) => {
      const target = await locate(session, loaded);
      // What is about something else in the file is passed over.
      if (target.info.group !== 'rbac.authorization.k8s.io' || !KINDS.includes(target.info.kind)) return;
      // The namespace is looked up first, and only the file's own word for it is taken.
      const nowhere = target.info.namespaced && loaded.object.metadata.namespace === undefined;
      if (nowhere && dryRun !== 'client') throw new KubectlError('resource name may not be empty');
      const live = nowhere
        ? undefined
        : await getObject(session, target).catch((error: unknown) => {
            if (isNotFound(error)) return undefined;
            throw error;
          });
      const isRole = target.info.kind.endsWith('Role');
      const outcome = isRole ? rulesOutcome(session, target.object, live) : subjectsOutcome(session, target.object, live);
      const query: Record<string, string> = dryRun === 'server' ? { dryRun: 'All' } : {};
      const result = dryRun === 'client' || outcome.operation === 'none' ? outcome.object : await send(session, target, outcome, query);
      printer.print(target.info, result, 'reconciled');
      tell(
        session,
        outcome,
        isRole ? 'rules' : 'subjects',
        isRole ? session.flags.bool('remove-extra-permissions') : session.flags.bool('remove-extra-subjects'),
      );
    });
  },
};

async function send(session: Session, target: Target, { object, operation }: Outcome, query: Record<string, string>): Promise<ObjectLike> {
  const path = pathOf(target.info, target.namespace, target.name);
  if (operation === 'recreate') await session.request('DELETE', path, { query });
  const { resourceVersion: _, uid: __, ...fresh } = object.metadata as ObjectLike['metadata'] & { readonly uid?: string };
  return (await (operation === 'update'
    ? session.request('PUT', path, { query, body: object as unknown as Json })
    : session.request('POST', pathOf(target.info, target.namespace), {
        query,
        body: { ...object, metadata: fresh } as unknown as Json,
      }))) as unknown as ObjectLike;
}

function tell(session: Session, { operation, missing, extra }: Outcome, what: string, removes: boolean): void {
  if (operation === 'none') return;
  session.err(`\treconciliation required ${operation}\n`);
  const list = (title: string, items: readonly string[]): void => {
    if (items.length > 0) session.err(`\t${title}:\n${items.map((item) => `\t\t${item}\n`).join('')}`);
  };
  list(`missing ${what} added`, missing);
  if (removes) list(`extra ${what} removed`, extra);
}

// --- roles -------------------------------------------------------------------------------------------------

const ruleText = (rule: PolicyRule): string =>
  `{Verbs:${goPrint(rule.verbs)} APIGroups:${goPrint(rule.apiGroups ?? [])} Resources:${goPrint(rule.resources ?? [])} ResourceNames:${goPrint(rule.resourceNames ?? [])} NonResourceURLs:${goPrint(rule.nonResourceURLs ?? [])}}`;
const has = (list: readonly string[] | undefined, one: string): boolean => list?.includes('*') === true || list?.includes(one) === true;

/** Whether one of the rules allows what a rule about one thing allows (rbac validation ruleCovers). */
function covered(owner: readonly PolicyRule[], rule: PolicyRule): boolean {
  const [verb = ''] = rule.verbs;
  return owner.some((one) => {
    if (!has(one.verbs, verb)) return false;
    const [url] = rule.nonResourceURLs ?? [];
    if (url !== undefined)
      return (one.nonResourceURLs ?? []).some((own) => own === url || own === '*' || (own.endsWith('*') && url.startsWith(own.slice(0, -1))));
    const [group = '', resource = '', name] = [rule.apiGroups?.[0], rule.resources?.[0], rule.resourceNames?.[0]];
    if (!has(one.apiGroups, group)) return false;
    const sub = resource.includes('/') ? `*/${resource.split('/')[1]}` : '';
    if (!has(one.resources, resource) && !(sub !== '' && one.resources?.includes(sub))) return false;
    return !one.resourceNames?.length || (name !== undefined && one.resourceNames.includes(name));
  });
}

function rulesOutcome(session: Session, wanted: ObjectLike, live: ObjectLike | undefined): Outcome {
  const rulesOf = (object: ObjectLike): readonly PolicyRule[] => (object['rules'] ?? []) as unknown as readonly PolicyRule[];
  if (!live) return { object: wanted, operation: 'create', missing: rulesOf(wanted).map(ruleText), extra: [] };
  const missing = rulesOf(wanted)
    .flatMap(broken)
    .filter((rule) => !covered(rulesOf(live), rule));
  const extra = rulesOf(live)
    .flatMap(broken)
    .filter((rule) => !covered(rulesOf(wanted), rule));
  const removes = session.flags.bool('remove-extra-permissions');
  const base = withWords(live, wanted);
  if (missing.length === 0 && (!removes || extra.length === 0))
    return { object: base, operation: base === live ? 'none' : 'update', missing: [], extra: extra.map(ruleText) };
  const rules = removes ? rulesOf(wanted) : [...rulesOf(live), ...missing];
  return {
    object: { ...base, rules: rules as unknown as Json } as ObjectLike,
    operation: 'update',
    missing: missing.map(ruleText),
    extra: extra.map(ruleText),
  };
}

// --- bindings ----------------------------------------------------------------------------------------------

const subjectText = ({ kind, apiGroup = '', name, namespace = '' }: Subject): string =>
  `{Kind:${kind} APIGroup:${apiGroup} Name:${name} Namespace:${namespace}}`;

function subjectsOutcome(session: Session, wanted: ObjectLike, live: ObjectLike | undefined): Outcome {
  const subjectsOf = (object: ObjectLike): readonly Subject[] => (object['subjects'] ?? []) as unknown as readonly Subject[];
  if (!live) return { object: wanted, operation: 'create', missing: subjectsOf(wanted).map(subjectText), extra: [] };
  const [before, after] = [subjectsOf(live), subjectsOf(wanted)];
  const lacks = (list: readonly Subject[], from: readonly Subject[]) => list.filter((one) => !from.some((other) => subjectText(other) === subjectText(one)));
  const [missing, extra] = [lacks(after, before), lacks(before, after)];
  const removes = session.flags.bool('remove-extra-subjects');
  const base = withWords(live, wanted);
  const subjects = removes ? after : [...before, ...missing];
  const object = { ...base, subjects: subjects as unknown as Json } as ObjectLike;
  const texts = { missing: missing.map(subjectText), extra: extra.map(subjectText) };
  // What is bound cannot be changed: the binding is made anew.
  if (JSON.stringify(live['roleRef']) !== JSON.stringify(wanted['roleRef'])) {
    const [mine, theirs] = [live['roleRef'], wanted['roleRef']] as unknown as readonly Readonly<Record<string, string>>[];
    if (['kind', 'name', 'apiGroup'].some((key) => mine?.[key] !== theirs?.[key]))
      return { object: { ...wanted, metadata: { ...base.metadata, ...wanted.metadata } } as ObjectLike, operation: 'recreate', missing: [], extra: [] };
  }
  if (missing.length === 0 && (!removes || extra.length === 0))
    return { object: base, operation: base === live ? 'none' : 'update', missing: [], extra: texts.extra };
  return { object, operation: 'update', ...texts };
}

/** With the labels and annotations of the file added to those there are; the same object when nothing is new. */
function withWords(live: ObjectLike, wanted: ObjectLike): ObjectLike {
  const merged = (field: 'labels' | 'annotations'): Readonly<Record<string, string>> => ({ ...wanted.metadata[field], ...live.metadata[field] });
  const [labels, annotations] = [merged('labels'), merged('annotations')];
  const same =
    Object.keys(labels).length === Object.keys(live.metadata.labels ?? {}).length &&
    Object.keys(annotations).length === Object.keys(live.metadata.annotations ?? {}).length;
  return same ? live : ({ ...live, metadata: { ...live.metadata, labels, annotations } } as ObjectLike);
}
