/** NodeAffinity: nodeSelector and required node affinity filter, preferred terms score. */
import type { DeepReadonly } from '../../api/json.ts';
import type { Node, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, Pod } from '../../api/types.gen.ts';
import { defaultNormalize, type Plugin, reject } from '../framework.ts';

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
      if (actual === undefined || !/^-?\d+$/.test(actual) || values.length !== 1 || !/^-?\d+$/.test(values[0]!)) return false;
      return operator === 'Gt' ? Number(actual) > Number(values[0]) : Number(actual) < Number(values[0]);
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
  return (
    expressions.every((requirement) => holds(requirement, node.metadata.labels?.[requirement.key ?? ''])) &&
    fields.every((requirement) => holds(requirement, requirement.key === 'metadata.name' ? node.metadata.name : undefined))
  );
}
const selects = (selector: DeepReadonly<NodeSelector>, node: DeepReadonly<Node>): boolean =>
  (selector.nodeSelectorTerms ?? []).some((term) => termMatches(term, node));

/** nodeSelector and required affinity together; also what PodTopologySpread honours. */
export function matchesRequired(pod: DeepReadonly<Pod>, node: DeepReadonly<Node>): boolean {
  for (const [key, value] of Object.entries(pod.spec?.nodeSelector ?? {})) if (node.metadata.labels?.[key] !== value) return false;
  const required = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return !required || selects(required, node);
}

const preferred = (pod: DeepReadonly<Pod>) => pod.spec?.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];

/** DaemonSet pods name their node in matchFields: only those nodes need looking at. */
function namedNodes(pod: DeepReadonly<Pod>): ReadonlySet<string> | undefined {
  const terms = pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  if (!terms || terms.length === 0) return undefined;
  const names = new Set<string>();
  for (const term of terms) {
    const byName = (term.matchFields ?? []).find((field) => field.key === 'metadata.name' && field.operator === 'In');
    if (!byName) return undefined;
    for (const name of byName.values ?? []) names.add(name);
  }
  return names;
}

export const nodeAffinity: Plugin = {
  name: 'NodeAffinity',
  weight: 2,
  preFilter: (_state, pod) => {
    if (!pod.spec?.nodeSelector && !pod.spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution) return { skip: true };
    const nodes = namedNodes(pod);
    return nodes ? { nodes } : undefined;
  },
  filter: (_state, pod, { node }) =>
    matchesRequired(pod, node) ? undefined : reject('NodeAffinity', "node(s) didn't match Pod's node affinity/selector", true),
  preScore: (_state, pod) => (preferred(pod).length === 0 ? { skip: true } : undefined),
  score: (_state, pod, { node }) =>
    preferred(pod).reduce((sum, { weight = 0, preference }) => sum + (preference && termMatches(preference, node) ? weight : 0), 0),
  normalize: (scores) => defaultNormalize(scores, false),
  hint: (_pod, { kind, what }) => kind === 'Node' && what !== 'delete',
};
