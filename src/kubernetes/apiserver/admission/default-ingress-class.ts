/** DefaultIngressClass: an Ingress that names no class gets the one marked as default (plugin/pkg/admission/network/defaultingressclass). */
import type { Ingress } from '../../api/types.gen.ts';
import { forbidden } from '../errors.ts';
import type { Plugin } from './admission.ts';

const IS_DEFAULT = 'ingressclass.kubernetes.io/is-default-class';
const LEGACY = 'kubernetes.io/ingress.class';

export const defaultIngressClass: Plugin = {
  name: 'DefaultIngressClass',
  mutate({ operation, row, subresource, object }, world) {
    if (operation !== 'CREATE' || row.plural !== 'ingresses' || subresource !== '') return object;
    const ingress = object as Ingress;
    if (ingress.spec?.ingressClassName !== undefined || ingress.metadata.annotations?.[LEGACY] !== undefined) return object;
    const defaults = [...world.under('/registry/ingressclasses/')]
      .map(({ object: found }) => found)
      .filter((found) => found.metadata.annotations?.[IS_DEFAULT] === 'true');
    const [first, second] = defaults;
    if (!first) return object;
    if (second)
      throw forbidden(
        'networking.k8s.io',
        'ingresses',
        ingress.metadata.name ?? '',
        `Internal error occurred: ${defaults.length} default IngressClasses were found, only 1 allowed`,
      );
    return { ...ingress, spec: { ...ingress.spec, ingressClassName: first.metadata.name! } };
  },
};
