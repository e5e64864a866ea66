/**
 * What some registries ask between mutating admission and validation: grants of more than one has
 * (`authorization/escalation.ts`), and certificates one may not approve or sign (`authentication/signing-request.ts`).
 * The code comes with the first request it concerns, while the clock stands still.
 */
import type { KubeObject } from '../../api/meta.ts';
import type { Attributes, Plugin, World, Writing } from '../admission/admission.ts';
import { foreign, openForeign } from '../authentication/lazy.ts';
import type { Rights } from '../authorization/escalation.ts';
import type { Rbac } from '../rbac.ts';

const RBAC = 'rbac.authorization.k8s.io';

export function registryChecks(rbac: () => Rbac): Plugin {
  let escalation: Plugin | undefined;
  let signing = false;
  const rights: Rights = {
    allowed: (user, what) => rbac().authorize(user, what).allowed,
    held: (user, namespace) => rbac().rulesOf(user, namespace),
    role: (kind, namespace, name) => rbac().role(kind, namespace, name),
  };
  const open = (world: World): Promise<void> =>
    world.outside(openForeign()).then(() => {
      signing = true;
    });
  return {
    name: 'Registry',
    mutate(attributes: Writing, world: World): KubeObject | Promise<KubeObject> {
      const { row, user, object, operation } = attributes;
      if (row.group === RBAC) {
        if (user.groups.includes('system:masters')) return object;
        if (escalation) return escalation.mutate!(attributes, world);
        return world.outside(import('../authorization/escalation.ts')).then(({ escalationCheck }) => {
          escalation = escalationCheck(rights);
          return escalation.mutate!(attributes, world);
        });
      }
      if (row.plural !== 'certificatesigningrequests' || operation !== 'CREATE') return object;
      return signing ? foreign().fillRequest(attributes) : open(world).then(() => foreign().fillRequest(attributes));
    },
    validate(attributes: Attributes, world: World): void | Promise<void> {
      if (attributes.row.plural !== 'certificatesigningrequests') return;
      if (signing) return foreign().checkRequest(attributes, rights.allowed);
      return open(world).then(() => foreign().checkRequest(attributes, rights.allowed));
    },
  };
}
