/**
 * NodeAffinity: nodeSelector and required node affinity filter, preferred terms score; a profile's `addedAffinity` is
 * honoured beside the pod's own (`nodeaffinity/node_affinity.go`).
 */
import type { DeepReadonly } from '../../api/json.ts';
import type { Node, NodeAffinity, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, Pod, PreferredSchedulingTerm } from '../../api/types.gen.ts';
import { ConfigError, defaultNormalize, type Plugin, type PluginFactory, reject } from '../framework.ts';

/** One requirement against the value a node has (component-helpers `nodeaffinity`). */
function holds({ operator, values = [] }: DeepReadonly<NodeSelectorRequirement>, actual: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return actual !== undefined && values.includes(actual);
    case 'NotIn':
      return actual === undefined || !values.includes(actual);
    case 'Exists':
      return actual !== undefined;
    case 'DoesNotExist':
      return actual === undefined;
    case 'Gt':
    case 'Lt': {
      if (actual === undefined || !/^[-+]?\d+$/.test(actual) || values.length !== 1 || !/^[-+]?\d+$/.test(values[0]!)) return false;
      return operator === 'Gt'
        ? BigInt(actual.replace('+', '')) > BigInt(values[0]!.replace('+', ''))
        : BigInt(actual.replace('+', '')) < BigInt(values[0]!.replace('+', ''));
    }
    default:
      return false;
  }
}

/** A term with neither expressions nor fields matches nothing. */
export function termMatches(term: DeepReadonly<NodeSelectorTerm>, node: DeepReadonly<Node>): boolean {
  const expressions = term.matchExpressions ?? [];
  const fields = term.matchFields ?? [];
  if (expressions.length === 0 && fields.length === 0) return false;
  for (const requirement of expressions) if (!holds(requirement, node.metadata.labels?.[requirement.key ?? ''])) return false;
  for (const requirement of fields) if (!holds(requirement, requirement.key === 'metadata.name' ? node.metadata.name : undefined)) return false;
  return true;
}
/** One of the terms must match. */
export const selects = (selector: DeepReadonly<NodeSelector>, node: DeepReadonly<Node>): boolean =>
  (selector.nodeSelectorTerms ?? []).some((term) => termMatches(term, node));

const requiredOf = (pod: DeepReadonly<Pod>): DeepReadonly<NodeSelector> | undefined =>
  pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;

/** nodeSelector and required affinity together; also what PodTopologySpread honours. */
export function matchesRequired(pod: DeepReadonly<Pod>, node: DeepReadonly<Node>): boolean {
  const selector = pod.spec?.nodeSelector;
  if (selector) for (const key in selector) if (node.metadata.labels?.[key] !== selector[key]) return false;
  const required = requiredOf(pod);
  return !required || selects(required, node);
}

type Preferred = DeepReadonly<PreferredSchedulingTerm>;
const preferredOf = (affinity: DeepReadonly<NodeAffinity> | undefined): readonly Preferred[] => affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];

/**
 * DaemonSet pods name their node in matchFields: only those nodes need looking at. Terms are alternatives, fields of
 * one term must all hold; undefined when some term does not name nodes.
 */
function namedNodes(pod: DeepReadonly<Pod>): ReadonlySet<string> | undefined {
  const names = new Set<string>();
  for (const term of requiredOf(pod)?.nodeSelectorTerms ?? []) {
    let ofTerm: readonly string[] | undefined;
    for (const { key, operator, values = [] } of term.matchFields ?? [])
      if (key === 'metadata.name' && operator === 'In') ofTerm = ofTerm ? ofTerm.filter((name) => values.includes(name)) : values;
    if (!ofTerm) return undefined;
    for (const name of ofTerm) names.add(name);
  }
  return names;
}

const NAME = 'NodeAffinity';
const NO_MATCH = reject(NAME, "node(s) didn't match Pod's node affinity/selector", true);
const ENFORCED = reject(NAME, "node(s) didn't match scheduler-enforced node affinity", true);
const CONFLICT = reject(NAME, 'pod affinity terms conflict', true);

/** Args: `addedAffinity`, a NodeAffinity. */
export const nodeAffinity: PluginFactory = (args) => {
  const added = args?.['addedAffinity'] as DeepReadonly<NodeAffinity> | undefined;
  const addedRequired = added?.requiredDuringSchedulingIgnoredDuringExecution;
  if (addedRequired && (addedRequired.nodeSelectorTerms ?? []).length === 0)
    throw new ConfigError(
      'addedAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required value: must have at least one node selector term',
    );
  const fits = (pod: DeepReadonly<Pod>, node: DeepReadonly<Node>): boolean => (!addedRequired || selects(addedRequired, node)) && matchesRequired(pod, node);
  const plugin: Plugin = {
    name: NAME,
    preFilter: (_state, pod) => {
      const required = requiredOf(pod);
      if (!required && !addedRequired && !pod.spec?.nodeSelector) return { skip: true };
      if (!required || (required.nodeSelectorTerms ?? []).length === 0) return undefined;
      const nodes = namedNodes(pod);
      if (!nodes) return undefined;
      return nodes.size === 0 ? { reject: CONFLICT } : { nodes };
    },
    filter: (_state, pod, { node }) => {
      if (addedRequired && !selects(addedRequired, node)) return ENFORCED;
      return matchesRequired(pod, node) ? undefined : NO_MATCH;
    },
    preScore: (state, pod) => {
      const terms = [...preferredOf(added), ...preferredOf(pod.spec?.affinity?.nodeAffinity)];
      if (terms.length === 0) return { skip: true };
      state.set(NAME, terms);
      return undefined;
    },
    score: (state, _pod, { node }) => {
      let sum = 0;
      for (const { weight = 0, preference } of state.get(NAME) as readonly Preferred[]) if (preference && termMatches(preference, node)) sum += weight;
      return sum;
    },
    normalize: (scores) => defaultNormalize(scores, false),
    events: [
      {
        resource: 'Node',
        actions: ['Add', 'UpdateNodeLabel'],
        hint: (pod, { before, after }) => fits(pod, after as DeepReadonly<Node>) && (before === undefined || !fits(pod, before as DeepReadonly<Node>)),
      },
    ],
  };
  return plugin;
};
