/** Roles and their bindings. */
import type { ClusterRole, ClusterRoleBinding, PolicyRule, Role, RoleBinding } from '../../api/types.gen.ts';
import { goPrint } from '../gostring.ts';
import type { Describer } from './reader.ts';

interface Line {
  readonly group: string;
  readonly resource: string;
  readonly resourceName: string;
  readonly url: string;
  readonly verbs: readonly string[];
}

/**
 * A line per resource, object name and URL: rules are broken into single permissions, and those that differ only in
 * their verb are put together again (kubectl pkg/util/rbac). URLs are not: each verb has a line.
 */
function linesOf(rules: readonly PolicyRule[]): readonly Line[] {
  const resources = new Map<string, Line>();
  const urls: Line[] = [];
  for (const { apiGroups = [], resources: names = [], resourceNames = [], nonResourceURLs = [], verbs } of rules) {
    for (const group of apiGroups) {
      for (const resource of names) {
        for (const verb of verbs) {
          for (const resourceName of resourceNames.length > 0 ? resourceNames : ['']) {
            const key = `${group}\n${resource}\n${resourceName}`;
            resources.set(key, { group, resource, resourceName, url: '', verbs: [...(resources.get(key)?.verbs ?? []), verb] });
          }
        }
      }
    }
    for (const url of nonResourceURLs) for (const verb of verbs) urls.push({ group: '', resource: '', resourceName: '', url, verbs: [verb] });
  }
  return [...urls, ...resources.values()].sort((a, b) => (order(a) < order(b) ? -1 : order(a) > order(b) ? 1 : 0));
}

const listed = (text: string): string => (text ? `[${text}]` : '[]');

/** Sorted as the texts of the protobuf messages are: by verbs first. */
const order = ({ group, resource, resourceName, url, verbs }: Line): string =>
  `&PolicyRule{Verbs:${goPrint(verbs)},APIGroups:[${group}],Resources:[${resource}],ResourceNames:${listed(resourceName)},NonResourceURLs:${listed(url)},}`;

/** `deployments.apps/scale`. */
function resourceText({ group, resource }: Line): string {
  const [name = '', subresource] = resource.split(/\/(.*)/s);
  return `${name}${group ? `.${group}` : ''}${subresource === undefined ? '' : `/${subresource}`}`;
}

export const describeRole: Describer<Role | ClusterRole> = async (sheet, { metadata, rules = [] }) => {
  sheet.line(0, 'Name:', metadata.name ?? '');
  sheet.labels('Labels', metadata.labels);
  sheet.annotations('Annotations', metadata.annotations);
  sheet.line(0, 'PolicyRule:');
  sheet.head(1, 'Resources', 'Non-Resource URLs', 'Resource Names', 'Verbs');
  for (const line of linesOf(rules)) sheet.line(1, resourceText(line), listed(line.url), listed(line.resourceName), goPrint(line.verbs));
};

export const describeBinding: Describer<RoleBinding | ClusterRoleBinding> = async (sheet, { metadata, roleRef, subjects = [] }) => {
  sheet.line(0, 'Name:', metadata.name ?? '');
  sheet.labels('Labels', metadata.labels);
  sheet.annotations('Annotations', metadata.annotations);
  sheet.line(0, 'Role:');
  sheet.line(1, 'Kind:', roleRef.kind);
  sheet.line(1, 'Name:', roleRef.name);
  sheet.line(0, 'Subjects:');
  sheet.head(1, 'Kind', 'Name', 'Namespace');
  for (const { kind, name, namespace = '' } of subjects) sheet.line(1, kind, name, namespace);
};
