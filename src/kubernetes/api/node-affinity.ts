/** Whether a pod may be on a node by its nodeSelector and required node affinity (component-helpers/scheduling/corev1/nodeaffinity). */
import type { DeepReadonly } from './json.ts';
import type { Node, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, PodSpec } from './types.gen.ts';

/** What is looked at of a node. */
export type NodeLike = { readonly metadata: Pick<DeepReadonly<Node>['metadata'], 'name' | 'labels'> };

/** nodeSelector and required affinity together. */
export function fitsNode(spec: DeepReadonly<PodSpec> | undefined, node: NodeLike): boolean {
  for (const [key, value] of Object.entries(spec?.nodeSelector ?? {})) if (node.metadata.labels?.[key] !== value) return false;
  const required = spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return !required || selectsNode(required, node);
}

/** Whether one of its terms matches. */
export const selectsNode = (selector: DeepReadonly<NodeSelector>, node: NodeLike): boolean =>
  (selector.nodeSelectorTerms ?? []).some((term) => termMatches(term, node));

/** All requirements of a term hold; a term without any holds for no node. */
export function termMatches(term: DeepReadonly<NodeSelectorTerm>, node: NodeLike): boolean {
  const expressions = term.matchExpressions ?? [];
  const fields = term.matchFields ?? [];
  if (expressions.length === 0 && fields.length === 0) return false;
  return (
    expressions.every((requirement) => meets(requirement, node.metadata.labels?.[requirement.key ?? ''])) &&
    fields.every((requirement) => meets(requirement, requirement.key === 'metadata.name' ? node.metadata.name : undefined))
  );
}

/** One requirement against the value a node has. */
export function meets({ operator, values = [] }: DeepReadonly<NodeSelectorRequirement>, actual: string | undefined): boolean {
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
